//! A phone's key, and the records it signs.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use kilele::crypto::{b64, hex, sha256};
use kilele_media::drawn;
use serde_json::{Value, json};

use crate::{Person, id};

/// An ECDSA P-256 key, as WebCrypto makes it.
pub struct DeviceKey(EcdsaKeyPair);

impl Default for DeviceKey {
    fn default() -> Self {
        let rng = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &rng).unwrap();
        Self(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap())
    }
}

impl DeviceKey {
    /// SubjectPublicKeyInfo in base64url.
    pub fn spki(&self) -> String {
        let head = [
            0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
            0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
        ];
        b64(&[&head[..], self.0.public_key().as_ref()].concat())
    }

    /// Raw r‖s in base64url.
    pub fn sign(&self, message: &[u8]) -> String {
        b64(self.0.sign(&SystemRandom::new(), message).unwrap().as_ref())
    }
}

/// A drawn signature over a visit, with the device's own signature when it has a key.
pub fn signature(person: &Person, visit: &str, name: &Value) -> Value {
    let ink = drawn::scribble(3);
    signed(person, content(person, visit, name, json!(ink.strokes)))
}

/// The signed text's content; the keys stand in the order of the contract.
pub fn content(person: &Person, visit: &str, name: &Value, strokes: Value) -> String {
    let statement = format!("I, {}, confirm the visit.", name.as_str().unwrap_or_default());
    let (device, id) = (person.device, id());
    format!(
        "{{\"v\":1,\"id\":\"{id}\",\"subject_kind\":\"visit\",\"subject\":\"{visit}\",\"template\":\"visit\",\"version\":1,\
         \"language\":\"en\",\"statement\":{},\"signer_name\":{name},\"signer_role\":\"beneficiary\",\"witness\":null,\
         \"signed_at\":1790000000000,\"width\":600,\"height\":300,\"strokes\":{strokes},\"device\":\"{device}\"}}",
        json!(statement)
    )
}

/// A record as a command carries it.
pub fn signed(person: &Person, record: String) -> Value {
    let sha256 = hex(&sha256(record.as_bytes()));
    let signature = person.key.as_ref().map(|key| key.sign(record.as_bytes()));
    json!({ "record": record, "sha256": sha256, "device_signature": signature })
}

/// A household's signature under a consent.
pub fn consent(person: &Person, household: &Value) -> Value {
    let name = &household["head_name"];
    let text = content(person, household["id"].as_str().unwrap_or_default(), name, json!(drawn::scribble(5).strokes));
    let text = text.replace("\"subject_kind\":\"visit\"", "\"subject_kind\":\"household\"");
    signed(person, text.replace("\"template\":\"visit\"", "\"template\":\"consent\""))
}
