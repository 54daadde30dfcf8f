//! Sealed pictures: the phone keeps only ciphertext; the key to it is sealed to the server and comes with the upload.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use bytes::{Bytes, BytesMut};
use uuid::Uuid;

use super::CAPTURE_INFO;
use crate::app::App;
use crate::crypto::unb64;
use crate::db::Tx;
use crate::error::Result;

/// What AES-GCM adds to a picture's length.
pub const TAG: i64 = 16;
/// `keyid.enc.sealed` has at most this many characters.
const LONGEST: usize = 400;

/// The `sealed` entry of `Upload-Metadata`: base64 of `keyid.enc.sealed`.
pub fn of_metadata(metadata: &str) -> Option<String> {
    let (_, encoded) = metadata.split(',').filter_map(|p| p.trim().split_once(' ')).find(|(key, _)| *key == "sealed")?;
    String::from_utf8(unb64(encoded.trim())?).ok().filter(|text| text.len() <= LONGEST && text.split('.').count() == 3)
}

/// Notes how the upload's bytes are to be opened.
pub async fn note(tx: &mut Tx, org: Uuid, upload: Uuid, sealed: Option<String>) -> Result<()> {
    let Some(sealed) = sealed else { return Ok(()) };
    let insert = "INSERT INTO upload_sealed (org, upload, sealed) VALUES ($1, $2, $3)";
    tx.query(insert).bind(org).bind(upload).bind(sealed).run().await.map(drop)
}

/// How the upload is sealed; `None` for plain bytes.
pub async fn noted(app: &App, org: Uuid, upload: Uuid) -> Result<Option<String>> {
    let select = "SELECT sealed FROM upload_sealed WHERE org = $1 AND upload = $2";
    let row: Option<(String,)> = app.db.query(select).bind(org).bind(upload).optional().await?;
    Ok(row.map(|(sealed,)| sealed))
}

/// The announced bytes inside; `None` when the seal does not open. Decrypts in place, without a second copy.
pub async fn open(app: &App, org: Uuid, evidence: Uuid, sealed: &str, whole: BytesMut) -> Result<Option<Bytes>> {
    let row: Option<(Uuid, Uuid)> = app
        .db
        .query("SELECT captured_by, device FROM evidence WHERE org = $1 AND id = $2")
        .bind(org)
        .bind(evidence)
        .optional()
        .await?;
    let Some((member, device)) = row else { return Ok(None) };
    let aad = format!("1|capture|{org}|{member}|{device}|{evidence}");
    Ok(key(app, sealed, &aad).and_then(|key| decrypt(&key, whole)))
}

fn key(app: &App, sealed: &str, aad: &str) -> Option<Vec<u8>> {
    let mut parts = sealed.split('.');
    let (id, enc, sealed) = (parts.next()?, unb64(parts.next()?)?, unb64(parts.next()?)?);
    app.outbox.open_sealed(id, &enc, CAPTURE_INFO, aad, &sealed)
}

/// Each key is used once, so the nonce is zero.
fn decrypt(key: &[u8], mut whole: BytesMut) -> Option<Bytes> {
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key).ok()?);
    let nonce = Nonce::assume_unique_for_key([0; 12]);
    let length = key.open_in_place(nonce, Aad::empty(), &mut whole).ok()?.len();
    whole.truncate(length);
    Some(whole.freeze())
}
