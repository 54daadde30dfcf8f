//! The key pair that phones seal their outbox to: HPKE (RFC 9180), base mode, DHKEM(P-256), HKDF-SHA256, AES-256-GCM.

use anyhow::{Context, Result};
use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use poem_openapi::Object;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_P256_HKDF_SHA256_AES_256;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke, HpkePrivateKey};
use serde::Serialize;

use crate::crypto::{Crypto, b64, hex, sha256};

/// Key pairs made so far. Raised by one when the present key must no longer be used; older ones still open.
const GENERATIONS: u32 = 1;

/// The key that phones seal to. `public` is the 65-byte point in base64url, `id` the first 16 hex digits of its SHA-256.
#[derive(Clone, Debug, Object, Serialize)]
pub struct OutboxKey {
    pub id: String,
    pub public: String,
}

struct Pair {
    id: String,
    private: [u8; 32],
}

pub struct Keys {
    pairs: Vec<Pair>,
    pub announced: OutboxKey,
}

impl Keys {
    /// Every generation's pair, from the installation's secret: the same on every copy and after a restore.
    pub fn open(crypto: &Crypto) -> Result<Self> {
        let mut announced = None;
        let pairs = (1..=GENERATIONS).map(|generation| {
            let private = crypto.derive(&format!("outbox-hpke-{generation}"));
            let key = PrivateKey::from_private_key(&ECDH_P256, &private).context("outbox key")?;
            let public = key.compute_public_key().context("outbox public key")?;
            let id = key_id(public.as_ref());
            announced = Some(OutboxKey { id: id.clone(), public: b64(public.as_ref()) });
            Ok(Pair { id, private })
        });
        let pairs = pairs.collect::<Result<Vec<_>>>()?;
        Ok(Self { pairs, announced: announced.context("at least one generation")? })
    }

    /// What was sealed to the key `id`; `None` for another installation's key and for whatever does not open.
    pub fn open_sealed(&self, id: &str, enc: &[u8], info: &str, aad: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let pair = self.pairs.iter().find(|pair| pair.id == id)?;
        unseal(DH_KEM_P256_HKDF_SHA256_AES_256, &pair.private, enc, info.as_bytes(), aad.as_bytes(), sealed)
    }

    pub fn knows(&self, id: &str) -> bool {
        self.pairs.iter().any(|pair| pair.id == id)
    }
}

pub fn key_id(public: &[u8]) -> String {
    hex(&sha256(public)[..8])
}

fn unseal(suite: &dyn Hpke, private: &[u8], enc: &[u8], info: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
    let private = HpkePrivateKey::from(private.to_vec());
    suite.open(&EncapsulatedSecret(enc.to_vec()), info, aad, sealed, &private).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::crypto::aws_lc_rs::hpke::DH_KEM_P256_HKDF_SHA256_AES_128;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).expect("hex")).collect()
    }

    /// RFC 9180, A.3.1: the published vector of our KEM and KDF (the RFC prints none with AES-256).
    #[test]
    fn opens_the_vector_of_the_rfc() {
        let private = bytes("f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2");
        let enc = bytes(
            "04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4",
        );
        let sealed = bytes("5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434");
        let info = bytes("4f6465206f6e2061204772656369616e2055726e");
        let open = |aad: &[u8]| unseal(DH_KEM_P256_HKDF_SHA256_AES_128, &private, &enc, &info, aad, &sealed);
        assert_eq!(open(b"Count-0").as_deref(), Some(&b"Beauty is truth, truth beauty"[..]));
        assert_eq!(open(b"Count-1"), None, "another aad");
    }

    /// Made with WebCrypto alone (tests/fixtures/outbox/seal.mjs): the suite that phones use, by another implementation.
    #[test]
    fn opens_what_webcrypto_sealed() {
        let made: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/fixtures/outbox/webcrypto.json")).expect("the fixture");
        let part = |name: &str| crate::crypto::unb64(made[name].as_str().expect("text")).expect("base64url");
        let keys = Keys {
            pairs: vec![Pair { id: key_id(&part("public")), private: part("private").try_into().expect("32") }],
            announced: OutboxKey { id: String::new(), public: String::new() },
        };
        let (info, aad) = (made["info"].as_str().expect("text"), made["aad"].as_str().expect("text"));
        let open = |id: &str, aad: &str| keys.open_sealed(id, &part("enc"), info, aad, &part("sealed"));
        let id = made["id"].as_str().expect("text");
        assert_eq!(open(id, aad).as_deref(), Some(made["plain"].as_str().expect("text").as_bytes()));
        assert_eq!((open(id, "1|command"), open("0000000000000000", aad)), (None, None));
    }

    #[test]
    fn the_same_secret_makes_the_same_key() {
        let key = |secret: &[u8]| Keys::open(&Crypto::from_secret(secret)).expect("a key").announced;
        let one = key(&[7; 32]);
        assert_eq!((one.public.len(), one.id.len()), (87, 16));
        assert_eq!(one.public, key(&[7; 32]).public);
        assert_ne!(one.public, key(&[8; 32]).public);
    }
}
