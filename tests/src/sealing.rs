//! What a phone seals to the server's key: commands for the outbox, pictures and the keys to them.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use kilele::crypto::{b64, hex, sha256, unb64};
use reqwest::Method;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_P256_HKDF_SHA256_AES_256;
use rustls::crypto::hpke::{Hpke, HpkePublicKey};
use serde_json::{Value, json};

use crate::people::encoded;
use crate::{Answer, Person};

/// `(enc, sealed)` in base64url.
pub fn seal(public: &str, info: &str, aad: &str, clear: &[u8]) -> (String, String) {
    let key = HpkePublicKey(unb64(public).unwrap());
    let (enc, sealed) = DH_KEM_P256_HKDF_SHA256_AES_256.seal(info.as_bytes(), aad.as_bytes(), clear, &key).unwrap();
    (b64(&enc.0), b64(&sealed))
}

/// A picture as a phone keeps it: ciphertext, and what opens it.
pub struct SealedPhoto {
    pub key: String,
    pub enc: String,
    pub sealed: String,
    pub data: Vec<u8>,
}

/// A saved copy as the phone writes it.
pub fn saved_copy(mentor: &Person, items: &[Value], photos: &[(&Value, &SealedPhoto)]) -> String {
    let head = json!({ "kilele_outbox": 1, "made_at": 1_790_000_000_000_i64, "org": mentor.org(), "member": mentor.member(),
                       "items": items.len(), "captures": photos.len() });
    let captures = photos.iter().map(|(capture, photo)| {
        json!({ "v": 1, "what": "capture", "key": photo.key, "org": mentor.org(), "member": mentor.member(), "device": mentor.device,
                "id": capture["id"], "sha256": capture["sha256"], "bytes": capture["bytes"], "enc": photo.enc,
                "sealed": photo.sealed, "data": encoded(&photo.data), "announce": null })
    });
    let lines = std::iter::once(head).chain(items.iter().cloned()).chain(captures);
    lines.map(|line| format!("{line}\n")).collect()
}

impl Person {
    /// The server's key, as this session showed it.
    pub fn outbox_key(&self) -> (String, String) {
        let key = &self.session["outbox_key"];
        (key["id"].as_str().unwrap().into(), key["public"].as_str().unwrap().into())
    }

    /// A command as the sealed outbox keeps it.
    pub fn sealed(&self, command: &Value) -> Value {
        let text = command.to_string();
        let (org, member, device) = (self.org(), self.member(), self.device);
        let message = format!("kilele-outbox|{org}|{member}|{device}|{}", hex(&sha256(text.as_bytes())));
        let proof = self.key.as_ref().map_or_else(String::new, |key| key.sign(message.as_bytes()));
        self.sealed_with(command, &proof)
    }

    pub fn sealed_with(&self, command: &Value, proof: &str) -> Value {
        let (key, public) = self.outbox_key();
        let (org, member, device) = (self.org(), self.member(), self.device.to_string());
        let id = command["id"].as_str().unwrap();
        let clear = json!({ "command": command.to_string(), "proof": proof }).to_string();
        let aad = format!("1|command|{org}|{member}|{device}|{id}");
        let (enc, sealed) = seal(&public, "kilele-outbox-1", &aad, clear.as_bytes());
        json!({ "v": 1, "what": "command", "key": key, "org": org, "member": member, "device": device, "id": id,
                "enc": enc, "sealed": sealed })
    }

    /// Names of what waits, as a phone notes them beside its database.
    pub fn sealed_names(&self, names: &Value) -> Value {
        let ((key, public), id) = (self.outbox_key(), crate::id());
        let aad = format!("1|names|{}|{}|{}|{id}", self.org(), self.member(), self.device);
        let (enc, sealed) = seal(&public, "kilele-names-1", &aad, names.to_string().as_bytes());
        json!({ "key": key, "device": self.device, "id": id, "enc": enc, "sealed": sealed })
    }

    /// A picture under a key of its own, which is sealed to the server.
    pub fn sealed_photo(&self, capture: &Value, photo: &[u8]) -> SealedPhoto {
        let content_key: [u8; 32] = kilele::clock::random();
        let mut data = photo.to_vec();
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &content_key).unwrap())
            .seal_in_place_append_tag(Nonce::assume_unique_for_key([0; 12]), Aad::empty(), &mut data)
            .unwrap();
        let (key, public) = self.outbox_key();
        let aad = format!("1|capture|{}|{}|{}|{}", self.org(), self.member(), self.device, capture["id"].as_str().unwrap());
        let (enc, sealed) = seal(&public, "kilele-capture-1", &aad, &content_key);
        SealedPhoto { key, enc, sealed, data }
    }

    /// The header by which a device without a session sends this picture.
    pub fn device_proof(&self, capture: &Value) -> String {
        let at = 1_790_000_000_000_i64;
        let (evidence, sha256) = (capture["id"].as_str().unwrap(), capture["sha256"].as_str().unwrap());
        let message = format!("kilele-upload|{}|{}|{}|{evidence}|{sha256}|{at}", self.org(), self.member(), self.device);
        format!("{}.{at}.{}", self.device, self.key.as_ref().unwrap().sign(message.as_bytes()))
    }

    /// Sends a sealed picture; with `proof` instead of the session. Answers the last step.
    pub async fn upload_sealed(&self, capture: &Value, photo: &SealedPhoto, proof: Option<&str>) -> Answer {
        let carry = |method: Method, path: &str| {
            let request = self.client.request(method, format!("{}{path}", self.url)).header("tus-resumable", "1.0.0");
            match proof {
                Some(proof) => request.header("kilele-device-proof", proof),
                None => request.bearer_auth(&self.token),
            }
        };
        let SealedPhoto { key, enc, sealed, data } = photo;
        let encode = |text: &str| BASE64_STANDARD.encode(text);
        let evidence = encode(capture["id"].as_str().unwrap());
        let created = carry(Method::POST, "/api/uploads")
            .header("upload-length", data.len())
            .header("upload-metadata", format!("evidence {evidence},sealed {}", encode(&format!("{key}.{enc}.{sealed}"))));
        let created = Answer::of(created).await;
        if created.status != 201 || created.header("upload-offset").parse() == Ok(data.len()) {
            return created;
        }
        // In two pieces, with a look between them, as over a bad link.
        let (location, middle) = (created.header("location").to_owned(), data.len() / 2);
        let mut last = created;
        for (offset, piece) in [(0, &data[..middle]), (middle, &data[middle..])] {
            let stands = Answer::of(carry(Method::HEAD, &location)).await;
            assert_eq!(stands.header("upload-offset").parse(), Ok(offset));
            let patch = carry(Method::PATCH, &location)
                .header("upload-offset", offset)
                .header("content-type", "application/offset+octet-stream");
            last = Answer::of(patch.body(piece.to_vec())).await;
        }
        last
    }
}
