//! Keys of the installation: sealing fields at rest, keyed hashes for look-up, the server's signing key.

use anyhow::{Context, Result, anyhow};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use std::borrow::Cow;
use std::sync::{Arc, RwLock};

use crate::clock::random;
use crate::config::Config;

/// Marks a sealed text inside a stored record; `~` needs no escape in JSON and base64url none either.
pub const MARK: &str = "~sealed~";

/// What seals and looks up personal data: changed by `kilele keys rotate`, while all else stays.
pub struct DataKey {
    pub id: i64,
    seal: LessSafeKey,
    lookup: hmac::Key,
}

impl DataKey {
    fn new(id: i64, seal: &[u8; 32], lookup: &[u8; 32]) -> Self {
        let seal = UnboundKey::new(&AES_256_GCM, seal).expect("AES-256 takes 32 bytes");
        Self { id, seal: LessSafeKey::new(seal), lookup: hmac::Key::new(hmac::HMAC_SHA256, lookup) }
    }

    fn unseal(&self, text: &str) -> Option<String> {
        let bytes = unb64(text)?;
        let (nonce, sealed) = bytes.split_at_checked(12)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let clear = self.seal.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?;
        String::from_utf8(clear.to_vec()).ok()
    }
}

/// Keys by their age; the one in use first.
type Ring = Vec<Arc<DataKey>>;

/// Everything derived from the one secret of the installation.
pub struct Crypto {
    ring: RwLock<Arc<Ring>>,
    audit: hmac::Key,
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
        let signing = Ed25519KeyPair::from_seed_unchecked(&derive("sign")).expect("Ed25519 takes 32 bytes");
        let first = Arc::new(DataKey::new(0, &derive("seal"), &derive("lookup")));
        let audit = hmac::Key::new(hmac::HMAC_SHA256, &derive("audit"));
        Self { ring: RwLock::new(Arc::new(vec![first])), audit, tokens: derive("tokens"), signing, root }
    }

    /// Bytes that are kept for a time only, sealed by a key of their purpose: changing the data keys leaves them alone.
    pub fn seal_bytes(&self, purpose: &str, bytes: &[u8]) -> Vec<u8> {
        let key = DataKey::new(0, &self.derive(purpose), &[0; 32]);
        let nonce: [u8; 12] = random();
        let mut sealed = bytes.to_vec();
        let done = key.seal.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed);
        done.expect("AES-GCM seals texts of this size");
        [&nonce[..], &sealed].concat()
    }

    /// What [`Self::seal_bytes`] sealed, or nothing when it is damaged.
    pub fn open_bytes(&self, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let key = DataKey::new(0, &self.derive(purpose), &[0; 32]);
        let (nonce, sealed) = sealed.split_at_checked(12)?;
        let mut sealed = sealed.to_vec();
        let clear = key.seal.open_in_place(Nonce::try_assume_unique_for_key(nonce).ok()?, Aad::empty(), &mut sealed).ok()?;
        let length = clear.len();
        sealed.truncate(length);
        Some(sealed)
    }

    /// 32 bytes for one further purpose, always the same for this installation.
    pub fn derive(&self, purpose: &str) -> [u8; 32] {
        hmac::sign(&self.root, format!("kilele {purpose} 1").as_bytes()).as_ref().try_into().expect("32 bytes")
    }

    /// A keyed hash for one purpose: of something that can be guessed, kept so that the table alone tells nothing.
    pub fn mac(&self, purpose: &str, data: &[u8]) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.derive(purpose));
        hmac::sign(&key, data).as_ref().to_vec()
    }

    fn ring(&self) -> Arc<Ring> {
        Arc::clone(&self.ring.read().expect("no panic while held"))
    }

    /// The data keys, as they are kept: wrapped. `current` seals from now on; the first one is always there to open.
    pub fn set_ring(&self, kept: &[(i64, String)], current: i64) -> Result<()> {
        let mut ring: Ring = self.ring().iter().filter(|key| key.id == 0).cloned().collect();
        for (id, wrapped) in kept {
            let root =
                unb64(&self.unwrap(wrapped).context("a data key does not open with this secret")?).context("a data key")?;
            let derive = |purpose: &str| -> [u8; 32] {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &root);
                hmac::sign(&key, purpose.as_bytes()).as_ref().try_into().expect("HMAC-SHA256 has 32 bytes")
            };
            ring.push(Arc::new(DataKey::new(*id, &derive("seal"), &derive("lookup"))));
        }
        ring.sort_by_key(|key| (key.id != current, -key.id));
        *self.ring.write().expect("no panic while held") = Arc::new(ring);
        Ok(())
    }

    /// A new data key, wrapped for the table.
    pub fn new_data_key(&self) -> String {
        let wrapping = DataKey::new(0, &self.derive("data-keys"), &[0; 32]);
        let nonce: [u8; 12] = random();
        let mut bytes = b64(&random::<32>()).into_bytes();
        let sealed = wrapping.seal.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes);
        sealed.expect("AES-GCM seals texts of this size");
        b64(&[&nonce[..], &bytes].concat())
    }

    fn unwrap(&self, wrapped: &str) -> Option<String> {
        DataKey::new(0, &self.derive("data-keys"), &[0; 32]).unseal(wrapped)
    }

    /// AES-256-GCM under a random nonce: `~sealed~` + base64url(nonce ‖ ciphertext ‖ tag) + `~`; with the number of
    /// its key before it, as `k1.`, but for the derived one that older installations begin with.
    pub fn seal(&self, clear: &str) -> String {
        let ring = self.ring();
        let key = &ring[0];
        let nonce: [u8; 12] = random();
        let mut bytes = clear.as_bytes().to_vec();
        let sealed = key.seal.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut bytes);
        sealed.expect("AES-GCM seals texts of this size");
        let number = if key.id == 0 { String::new() } else { format!("k{}.", key.id) };
        format!("{MARK}{number}{}~", b64(&[&nonce[..], &bytes].concat()))
    }

    /// A stored text with what older keys sealed sealed by the one in use; nothing when there is none of it.
    pub fn reseal_text(&self, stored: &str) -> Option<String> {
        let ring = self.ring();
        let (mut out, mut rest, mut changed) = (String::with_capacity(stored.len()), stored, false);
        while let Some(at) = rest.find(MARK) {
            let (before, sealed) = rest.split_at(at);
            out.push_str(before);
            let sealed = &sealed[MARK.len()..];
            let end = sealed.find('~').filter(|end| key_of(&sealed[..*end]).0 != ring[0].id);
            match end.and_then(|end| Some((end, self.unseal(&sealed[..end])?))) {
                Some((end, clear)) => {
                    out.push_str(&self.seal(&clear));
                    rest = &sealed[end + 1..];
                    changed = true;
                }
                None => {
                    out.push_str(MARK);
                    rest = sealed;
                }
            }
        }
        out.push_str(rest);
        changed.then_some(out)
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
        let (id, text) = key_of(text);
        self.ring().iter().find(|key| key.id == id)?.unseal(text)
    }

    /// A keyed hash by which an id or a phone number is looked up without being readable.
    pub fn lookup(&self, org: uuid::Uuid, kind: &str, value: &str) -> Vec<u8> {
        lookup(&self.ring()[0], org, kind, value)
    }

    /// The hashes by which it may be found: of the key in use, and, while keys are changed, of the one before.
    pub fn lookups(&self, org: uuid::Uuid, kind: &str, value: &str) -> [Vec<u8>; 2] {
        let ring = self.ring();
        [&ring[0], ring.get(1).unwrap_or(&ring[0])].map(|key| lookup(key, org, kind, value))
    }

    /// What an audit event's hash covers of its change. Keyed, so that an erased value cannot be guessed from it; over the
    /// opened text, so that it stays when the keys that seal are changed.
    pub fn audit(&self, change: &str) -> Vec<u8> {
        hmac::sign(&self.audit, self.open_text(change).as_bytes()).as_ref().to_vec()
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

fn lookup(key: &DataKey, org: uuid::Uuid, kind: &str, value: &str) -> Vec<u8> {
    let mut context = hmac::Context::with_key(&key.lookup);
    context.update(org.as_bytes());
    context.update(kind.as_bytes());
    context.update(b"\0");
    context.update(value.as_bytes());
    context.sign().as_ref()[..16].to_vec()
}

/// Which key sealed a part, and the part without its number. `.` is no letter of base64url.
fn key_of(sealed: &str) -> (i64, &str) {
    let numbered = sealed.strip_prefix('k').and_then(|rest| rest.split_once('.'));
    numbered.and_then(|(id, rest)| Some((id.parse().ok()?, rest))).unwrap_or((0, sealed))
}

fn key_file(config: &Config) -> Result<String> {
    let path = config.data_dir.join("secret.key");
    if let Ok(text) = std::fs::read_to_string(&path) {
        return Ok(text);
    }
    crate::config::make_folder(&config.data_dir)?;
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
