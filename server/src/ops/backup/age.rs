//! Sealing backups to recipients, in the format of age (age-encryption.org/v1, X25519): the tool `age` opens them too.
//!
//! Written on the cryptography that is here already; the crate of that name would bring eighty others. The tests open
//! what the tool sealed.

use std::io::{self, Read, Write};

use anyhow::{Context, Result, ensure};
use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;

use super::bech32;
use crate::clock::random;

const VERSION: &str = "age-encryption.org/v1";
const CHUNK: usize = 64 << 10;
const TAG: usize = 16;

/// Somebody who can open what is sealed: `age1…`.
#[derive(Clone, Debug)]
pub struct Recipient([u8; 32]);

impl Recipient {
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self(bech32::decode("age", text.trim()).with_context(|| format!("{text} is no recipient of age (age1…)"))?))
    }
}

/// What opens: `AGE-SECRET-KEY-1…`.
pub struct Identity([u8; 32]);

impl Identity {
    /// A new pair, as texts: the secret and the recipient.
    pub fn make() -> Result<(String, String)> {
        let secret: [u8; 32] = random();
        let text = bech32::encode("age-secret-key-", &secret).to_uppercase();
        Ok((text, bech32::encode("age", &public(&secret)?)))
    }

    /// From the text of a file: lines, of which those with `#` say nothing.
    pub fn parse_file(text: &str) -> Result<Vec<Self>> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let found: Vec<Self> = lines
            .map(|line| bech32::decode("age-secret-key-", &line.to_lowercase()).map(Self))
            .collect::<Option<_>>()
            .context("not a file of age secrets (AGE-SECRET-KEY-1…)")?;
        ensure!(!found.is_empty(), "no secret of age in this file");
        Ok(found)
    }
}

/// Seals what is written to it. Only whole after [`Sealer::finish`].
pub struct Sealer<W> {
    to: W,
    key: LessSafeKey,
    counter: u64,
    held: Vec<u8>,
}

impl<W: Write> Sealer<W> {
    pub fn new(mut to: W, recipients: &[Recipient]) -> Result<Self> {
        let file_key: [u8; 16] = random();
        let mut head = format!("{VERSION}\n");
        for recipient in recipients {
            let secret: [u8; 32] = random();
            let share = public(&secret)?;
            let mut body = file_key.to_vec();
            wrap_key(&secret, &recipient.0, &share, &recipient.0)?.seal_in_place_append_tag(
                Nonce::assume_unique_for_key([0; 12]),
                Aad::empty(),
                &mut body,
            )?;
            head += &format!("-> X25519 {}\n{}\n", b64(&share), b64(&body));
        }
        head += "---";
        let mac = b64(mac(&file_key, head.as_bytes())?.as_ref());
        let nonce: [u8; 16] = random();
        writeln!(to, "{head} {mac}")?;
        to.write_all(&nonce)?;
        Ok(Self { to, key: payload_key(&file_key, &nonce)?, counter: 0, held: Vec::with_capacity(CHUNK + TAG) })
    }

    /// The last chunk; answers what it was written to.
    pub fn finish(mut self) -> io::Result<W> {
        self.chunk(true)?;
        Ok(self.to)
    }

    fn chunk(&mut self, last: bool) -> io::Result<()> {
        let nonce = nonce(self.counter, last);
        self.key.seal_in_place_append_tag(nonce, Aad::empty(), &mut self.held).map_err(io::Error::other)?;
        self.to.write_all(&self.held)?;
        self.held.clear();
        self.counter += 1;
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits: it may be the last.
        if self.held.len() == CHUNK && !bytes.is_empty() {
            self.chunk(false)?;
        }
        let some = bytes.len().min(CHUNK - self.held.len());
        self.held.extend_from_slice(&bytes[..some]);
        Ok(some)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Opens what was sealed, chunk by chunk: nothing is handed on that was not proved whole.
pub struct Opener<R> {
    from: R,
    key: LessSafeKey,
    counter: u64,
    next: Vec<u8>,
    clear: Vec<u8>,
    at: usize,
}

impl<R: Read> Opener<R> {
    pub fn new(mut from: R, identities: &[Identity]) -> Result<Self> {
        let mut head = line(&mut from)?;
        ensure!(head == VERSION, "not sealed by age");
        head.push('\n');
        let mut file_key = None;
        loop {
            let next = line(&mut from)?;
            if let Some(said) = next.strip_prefix("--- ") {
                head += "---";
                let key: [u8; 16] = file_key.context("none of the secrets of age opens this")?;
                // As text, so that not even the case of a letter can change.
                ensure!(b64(mac(&key, head.as_bytes())?.as_ref()) == said, "the head of a sealed file is damaged");
                let mut nonce = [0; 16];
                from.read_exact(&mut nonce)?;
                let key = payload_key(&key, &nonce)?;
                let mut opener = Self { from, key, counter: 0, next: Vec::new(), clear: Vec::new(), at: 0 };
                opener.next = opener.read_chunk()?;
                return Ok(opener);
            }
            let mut body = String::new();
            loop {
                let some = line(&mut from)?;
                body += &some;
                head += &format!("{}{some}\n", if body.len() == some.len() { format!("{next}\n") } else { String::new() });
                if some.len() < 64 {
                    break;
                }
            }
            if let Some(share) = next.strip_prefix("-> X25519 ") {
                file_key = file_key.or(identities.iter().find_map(|identity| unwrap(identity, share, &body)));
            }
        }
    }

    fn read_chunk(&mut self) -> io::Result<Vec<u8>> {
        let mut chunk = Vec::new();
        (&mut self.from).take((CHUNK + TAG) as u64).read_to_end(&mut chunk)?;
        Ok(chunk)
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.at == self.clear.len() && (self.counter == 0 || !self.next.is_empty()) {
            let mut chunk = std::mem::take(&mut self.next);
            self.next = self.read_chunk()?;
            let (nonce, last) = (nonce(self.counter, self.next.is_empty()), self.next.is_empty());
            let damaged = || io::Error::new(io::ErrorKind::InvalidData, "a sealed file is damaged");
            let length = self.key.open_in_place(nonce, Aad::empty(), &mut chunk).map_err(|_| damaged())?.len();
            // An empty chunk ends only an empty file.
            if length == 0 && (self.counter > 0 || !last) {
                return Err(damaged());
            }
            chunk.truncate(length);
            (self.clear, self.at, self.counter) = (chunk, 0, self.counter + 1);
        }
        let some = to.len().min(self.clear.len() - self.at);
        to[..some].copy_from_slice(&self.clear[self.at..self.at + some]);
        self.at += some;
        Ok(some)
    }
}

fn unwrap(identity: &Identity, share: &str, body: &str) -> Option<[u8; 16]> {
    let share: [u8; 32] = BASE64_STANDARD_NO_PAD.decode(share).ok()?.try_into().ok()?;
    let mut body = BASE64_STANDARD_NO_PAD.decode(body).ok()?;
    let own = public(&identity.0).ok()?;
    let key = wrap_key(&identity.0, &share, &share, &own).ok()?;
    key.open_in_place(Nonce::assume_unique_for_key([0; 12]), Aad::empty(), &mut body).ok()?.try_into().ok()
}

fn wrap_key(secret: &[u8; 32], peer: &[u8; 32], share: &[u8; 32], recipient: &[u8; 32]) -> Result<LessSafeKey> {
    let own = PrivateKey::from_private_key(&X25519, secret)?;
    let salt = [&share[..], &recipient[..]].concat();
    let failed = || anyhow::anyhow!("a recipient of age is not a good one");
    agree(&own, UnparsedPublicKey::new(&X25519, peer), failed(), |shared| {
        derive(shared, &salt, "age-encryption.org/v1/X25519")
    })
}

fn public(secret: &[u8; 32]) -> Result<[u8; 32]> {
    let public = PrivateKey::from_private_key(&X25519, secret)?.compute_public_key()?;
    Ok(public.as_ref().try_into()?)
}

fn payload_key(file_key: &[u8; 16], nonce: &[u8; 16]) -> Result<LessSafeKey> {
    derive(file_key, nonce, "payload")
}

fn mac(file_key: &[u8; 16], head: &[u8]) -> Result<hmac::Tag> {
    let key = expand(file_key, &[], "header")?;
    Ok(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), head))
}

fn derive(input: &[u8], salt: &[u8], info: &str) -> Result<LessSafeKey> {
    Ok(LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &expand(input, salt, info)?)?))
}

fn expand(input: &[u8], salt: &[u8], info: &str) -> Result<[u8; 32]> {
    let mut key = [0; 32];
    let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(input);
    extracted.expand(&[info.as_bytes()], hkdf::HKDF_SHA256)?.fill(&mut key)?;
    Ok(key)
}

/// Eleven bytes of a counter, and whether it is the last chunk.
fn nonce(counter: u64, last: bool) -> Nonce {
    let mut bytes = [0; 12];
    bytes[3..11].copy_from_slice(&counter.to_be_bytes());
    bytes[11] = last.into();
    Nonce::assume_unique_for_key(bytes)
}

fn b64(bytes: &[u8]) -> String {
    BASE64_STANDARD_NO_PAD.encode(bytes)
}

/// A line of the head, which is short.
fn line(from: &mut impl Read) -> Result<String> {
    let (mut text, mut byte) = (Vec::new(), [0]);
    loop {
        from.read_exact(&mut byte)?;
        match byte[0] {
            b'\n' => return Ok(String::from_utf8(text)?),
            other => text.push(other),
        }
        ensure!(text.len() < 4_096, "not sealed by age");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(clear: &[u8], to: &[Recipient]) -> Vec<u8> {
        let mut sealer = Sealer::new(Vec::new(), to).expect("recipients are good");
        sealer.write_all(clear).expect("memory takes it");
        sealer.finish().expect("memory takes it")
    }

    fn open(sealed: &[u8], by: &[Identity]) -> Result<Vec<u8>> {
        let mut clear = Vec::new();
        Opener::new(sealed, by)?.read_to_end(&mut clear)?;
        Ok(clear)
    }

    fn pair() -> (Vec<Identity>, Recipient) {
        let (secret, recipient) = Identity::make().expect("chance works");
        (Identity::parse_file(&secret).expect("it was made"), Recipient::parse(&recipient).expect("it was made"))
    }

    #[test]
    fn every_recipient_opens_it_and_nobody_else() {
        let ((one, to_one), (other, to_other), (third, _)) = (pair(), pair(), pair());
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 7] {
            let clear: Vec<u8> = (0..length).map(|n| (n * 7) as u8).collect();
            let sealed = seal(&clear, &[to_one.clone(), to_other.clone()]);
            assert!(open(&sealed, &one).expect("it is for them") == clear, "{length}");
            assert!(open(&sealed, &other).expect("it is for them") == clear, "{length}");
            assert!(open(&sealed, &third).is_err(), "{length}");
        }
    }

    #[test]
    fn a_flipped_bit_or_a_cut_is_noticed_anywhere() {
        let (own, to) = pair();
        let sealed = seal(b"a household's file", std::slice::from_ref(&to));
        for bit in 0..sealed.len() * 8 {
            let mut other = sealed.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert!(open(&other, &own).is_err(), "bit {bit}");
        }
        let long = seal(&[7; 2 * CHUNK], &[to]);
        for end in (0..sealed.len()).chain([long.len() - CHUNK - TAG]) {
            let cut = if end < sealed.len() { &sealed[..end] } else { &long[..end] };
            assert!(open(cut, &own).is_err(), "cut at {end}");
        }
    }

    /// `age-keygen` and `age -r` of Debian's age 1.1.1 made these.
    #[test]
    fn what_the_tool_sealed_is_opened() {
        let own = Identity::parse_file(include_str!("age-test-secret.txt")).expect("the tool made it");
        let clear = open(include_bytes!("age-test-sealed.bin"), &own).expect("the tool sealed it");
        assert_eq!(clear, b"Kuku wangu wanataga.\n");
    }
}
