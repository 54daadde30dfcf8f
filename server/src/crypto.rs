//! Keys of the installation: sealing fields at rest, keyed hashes for look-up, the server's signing key.

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use std::borrow::Cow;

use crate::clock::random;
use crate::config::Config;

/// Marks a sealed text inside a stored record; `~` needs no escape in JSON and base64url none either.
pub const MARK: &str = "~sealed~";

/// Everything derived from the one secret of the installation.
pub struct Crypto {
    seal: LessSafeKey,
    lookup: hmac::Key,
    pub tokens: [u8; 32],
    signing: Ed25519KeyPair,
    root: hmac::Key,
}

impl Crypto {
    /// From `KILELE_SECRET`, else from `secret.key` in the data folder, which is made at first start.
    pub fn open(config: &Config) -> Result<Self> {
        let text = match &config.secret {
            Some(secret) => secret.clone(),
            None => key_file(config)?,
        };
        let secret = unb64(text.trim()).filter(|s| s.len() >= 32).context("the secret needs 32 bytes as base64url")?;
        Ok(Self::from_secret(&secret))
    }

    pub fn from_secret(secret: &[u8]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let derive = |purpose: &str| -> [u8; 32] {
            let tag = hmac::sign(&root, format!("kilele {purpose} 1").as_bytes());
            tag.as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
        };
        let seal = UnboundKey::new(&AES_256_GCM, &derive("seal")).expect("AES-256 takes 32 bytes");
        let signing = Ed25519KeyPair::from_seed_unchecked(&derive("sign")).expect("Ed25519 takes 32 bytes");
        let lookup = hmac::Key::new(hmac::HMAC_SHA256, &derive("lookup"));
        Self { seal: LessSafeKey::new(seal), lookup, tokens: derive("tokens"), signing, root }
    }

    /// 32 bytes for one further purpose, always the same for this installation.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        hmac::sign(&self.root, format!("kilele {purpose} 1").as_bytes()).as_ref().try_into().expect("32 bytes")
    }

    /// AES-256-GCM under a random nonce: `~sealed~` + base64url(nonce ‖ ciphertext ‖ tag) + `~`.
    pub fn seal(&self, clear: &str) -> String {
        let nonce: [u8; 12] = random();
        let mut bytes = clear.as_bytes().to_vec();
        let sealed = self.seal.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes);
        sealed.expect("AES-GCM seals texts of this size");
        format!("{MARK}{}~", b64(&[&nonce[..], &bytes].concat()))
    }

    /// A stored text with every sealed part opened. What does not open stays as it is.
    pub fn open_text<'a>(&self, stored: &'a str) -> Cow<'a, str> {
        if !stored.contains(MARK) {
            return Cow::Borrowed(stored);
        }
        let mut out = String::with_capacity(stored.len());
        let mut rest = stored;
        while let Some(at) = rest.find(MARK) {
            let (before, sealed) = rest.split_at(at);
            out.push_str(before);
            let sealed = &sealed[MARK.len()..];
            let opened = sealed.find('~').and_then(|end| Some((end, self.unseal(&sealed[..end])?)));
            // Not one of ours: only the mark itself is passed over, whatever follows may be.
            let Some((end, clear)) = opened else {
                out.push_str(MARK);
                rest = sealed;
                continue;
            };
            match clear {
                // The clear text goes back into a JSON string.
                clear if clear.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\') => out.push_str(&clear),
                clear => {
                    let quoted = serde_json::Value::from(clear).to_string();
                    out.push_str(&quoted[1..quoted.len() - 1]);
                }
            }
            rest = &sealed[end + 1..];
        }
        out.push_str(rest);
        Cow::Owned(out)
    }

    fn unseal(&self, text: &str) -> Option<String> {
        let bytes = unb64(text)?;
        let (nonce, sealed) = bytes.split_at_checked(12)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let clear = self.seal.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?;
        String::from_utf8(clear.to_vec()).ok()
    }

    /// A keyed hash by which an id or a phone number is looked up without being readable.
    pub fn lookup(&self, org: uuid::Uuid, kind: &str, value: &str) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.lookup);
        context.update(org.as_bytes());
        context.update(kind.as_bytes());
        context.update(b"\0");
        context.update(value.as_bytes());
        context.sign().as_ref()[..16].to_vec()
    }

    /// The server's Ed25519 counter-signature.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.signing.sign(message).as_ref().to_vec()
    }

    /// Whether `signature` is this server's over `message`.
    pub fn verify_own(&self, message: &[u8], signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, self.signing.public_key().as_ref());
        key.verify(message, signature).is_ok()
    }

    pub fn public_key(&self) -> &[u8] {
        self.signing.public_key().as_ref()
    }
}

fn key_file(config: &Config) -> Result<String> {
    let path = config.data_dir.join("secret.key");
    if let Ok(text) = std::fs::read_to_string(&path) {
        return Ok(text);
    }
    std::fs::create_dir_all(&config.data_dir).with_context(|| config.data_dir.display().to_string())?;
    let text = b64(&random::<32>());
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&path).with_context(|| path.display().to_string())?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()?;
    Ok(text)
}

/// Whether `signature` (raw r‖s) is over `message` by the P-256 key of a device, given as SPKI or as a raw point.
pub fn verify_device(public_key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    point(public_key).is_ok_and(|p| UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, p).verify(message, signature).is_ok())
}

/// The 65-byte point at the end of a P-256 SubjectPublicKeyInfo (91 bytes), or the point itself.
pub fn point(key: &[u8]) -> Result<&[u8]> {
    match key.len() {
        65 if key[0] == 4 => Ok(key),
        91 if key[26] == 4 => Ok(&key[26..]),
        _ => Err(anyhow!("not a P-256 public key")),
    }
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    digest::digest(&digest::SHA256, bytes).as_ref().try_into().expect("SHA-256 has 32 bytes")
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

pub fn b64(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// base64url without padding; standard base64 is taken too, as older browsers send it.
pub fn unb64(text: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok().or_else(|| BASE64_STANDARD.decode(text).ok())
}
