//! Taking a signature: checked, counter-signed and chained in the transaction that brings it.

use serde_json::json;
use uuid::Uuid;

use super::{Content, CounterSigned, Signature, SignedRecord, kept, link};
use crate::commands::Context;
use crate::crypto::{b64, hex, sha256, unb64, verify_device};
use crate::db::Tx;
use crate::error::{Error, Result};
use crate::feed::Locked;
use crate::{audit, check, scope};

/// A record of more than this is no signature (BUDGETS: 15 kB stored).
const LARGEST: usize = 64 * 1024;

/// What several households may sign; each signature says for which.
const OF_SEVERAL: [&str; 2] = ["grant", "acknowledgement"];

/// Keeps a signature over `subject`; an earlier one of the same signer is superseded, not removed.
pub async fn receive(
    tx: &mut Tx,
    context: &Context,
    feeds: &mut Locked,
    feed: Uuid,
    subject: (&str, Uuid),
    signed: SignedRecord,
) -> Result<()> {
    let content = content(&signed, subject)?;
    let by = &context.reader;
    let known: Option<(String,)> =
        tx.query("SELECT sha256 FROM signature WHERE org = $1 AND id = $2").bind(by.org).bind(content.id).optional().await?;
    match known {
        Some((sha256,)) if sha256 == signed.sha256 => return Ok(()),
        Some(_) => return Err(Error::refused("exists", "Another signature has this id.").field("signature")),
        None => {}
    }
    let device_signature = device_signature(tx, context, &signed, &content).await?;
    let head = feeds.head(feed);
    let sequence = head.signature.0 + 1;
    let previous = head.signature.1.take();
    let message = CounterSigned {
        org: by.org,
        feed,
        sequence,
        id: content.id,
        sha256: &signed.sha256,
        device: device_signature.as_ref().map(|(key, signature)| (&key[..], &signature[..])),
        received_at: context.now,
        previous: previous.as_deref(),
    }
    .message();
    let server_signature = context.app.crypto.sign(message.as_bytes());
    let next = link(&message, &server_signature).to_vec();
    head.signature = (sequence, Some(next.clone()));
    let (key, signature) = device_signature.unzip();
    tx.query(
        "INSERT INTO signature (org, id, feed, subject_kind, subject, sequence, member, device, record, sha256, device_key,
             device_signature, previous, server_signature, received_at, household)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(by.org)
    .bind(content.id)
    .bind(feed)
    .bind(subject.0)
    .bind(subject.1)
    .bind(sequence)
    .bind(by.id)
    .bind(by.device)
    .bind(kept::pack(&signed.record, &content.strokes))
    .bind(signed.sha256.clone())
    .bind(key)
    .bind(signature)
    .bind(previous)
    .bind(server_signature.clone())
    .bind(context.now)
    .bind(content.household)
    .run()
    .await?;
    tx.query("UPDATE feed SET signature_sequence = $3, signature_head = $4 WHERE org = $1 AND id = $2")
        .bind(by.org)
        .bind(feed)
        .bind(sequence)
        .bind(next)
        .run()
        .await?;
    let record = Signature {
        id: content.id,
        subject_kind: content.subject_kind,
        subject: content.subject,
        signer_name: content.signer_name,
        signer_role: content.signer_role,
        household: content.household,
        template: content.template,
        version: content.version,
        language: content.language,
        statement: content.statement,
        signed_at: content.signed_at,
        received_at: context.now,
        sha256: signed.sha256,
        sequence,
        server_signature: b64(&server_signature),
        superseded_by: None,
        revision: feeds.revision(feed),
    };
    supersede(tx, feeds, feed, &record).await?;
    feeds.put(tx, feed, "signature", record.id, &record).await?;
    let shown = json!({ "id": record.id, "sha256": record.sha256, "sequence": sequence });
    let change = (None::<&Signature>, Some(&shown));
    audit::append(tx, feeds, feed, &context.actor(), "signature.receive", ("signature", record.id), change).await
}

/// The signed text, if it is one and fits what it is attached to.
fn content(signed: &SignedRecord, subject: (&str, Uuid)) -> Result<Content> {
    let invalid = |message: &str| Error::refused("signature_invalid", message).field("signature");
    if signed.record.len() > LARGEST {
        return Err(invalid("The signature is too large."));
    }
    if hex(&sha256(signed.record.as_bytes())) != signed.sha256 {
        return Err(invalid("The hash is not of this record."));
    }
    let content = Content::parse(&signed.record)?;
    if content.v != 1 || (content.subject_kind.as_str(), content.subject) != subject {
        return Err(invalid("The signature is for another record."));
    }
    if content.household.is_some() && !OF_SEVERAL.contains(&subject.0) {
        return Err(invalid("Here nobody signs for a household among several."));
    }
    check::one_of("signer_role", &content.signer_role, &["beneficiary", "witness", "mentor"])?;
    check::one_of("language", &content.language, &["en", "sw"])?;
    check::name("signer_name", &content.signer_name)?;
    check::name("template", &content.template)?;
    check::text("statement", &content.statement, 4000)?;
    check::text("witness", content.witness.as_deref().unwrap_or_default(), 120)?;
    check::time("signed_at", Some(content.signed_at))?;
    if content.statement.trim().is_empty() {
        return Err(invalid("There is no statement that was signed."));
    }
    if content.ink().is_trivial() {
        return Err(Error::refused("signature_empty", "The signature is empty or too small.").field("signature"));
    }
    Ok(content)
}

/// A device that introduced itself with a key must sign with it.
async fn device_signature(
    tx: &mut Tx,
    context: &Context,
    signed: &SignedRecord,
    content: &Content,
) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    let by = &context.reader;
    if content.device != by.device {
        // Written on one device and delivered by another of the same person: the record names the first.
        let own: Option<(Option<Vec<u8>>,)> = device_key(tx, by.account, content.device).await?;
        if own.is_none() {
            return Err(
                Error::refused("signature_invalid", "The signature names a device that is not yours.").field("device")
            );
        }
    }
    let Some((Some(key),)) = device_key(tx, by.account, content.device).await? else { return Ok(None) };
    let signature = signed.device_signature.as_deref().and_then(unb64).unwrap_or_default();
    if !verify_device(&key, signed.record.as_bytes(), &signature) {
        let message = "The device's own signature does not fit the record.";
        return Err(Error::refused("signature_invalid", message).field("device_signature"));
    }
    Ok(Some((key, signature)))
}

async fn device_key(tx: &mut Tx, account: Uuid, device: Uuid) -> Result<Option<(Option<Vec<u8>>,)>> {
    tx.query("SELECT public_key FROM device WHERE account = $1 AND id = $2").bind(account).bind(device).optional().await
}

/// The signer's earlier signature over the same record and the same text points to this one.
async fn supersede(tx: &mut Tx, feeds: &Locked, feed: Uuid, newer: &Signature) -> Result<()> {
    let older: Vec<(Uuid,)> = tx
        .query("SELECT id FROM signature WHERE org = $1 AND subject = $2 AND id <> $3")
        .bind(feeds.org)
        .bind(newer.subject)
        .bind(newer.id)
        .all()
        .await?;
    for (id,) in older {
        let mut record: Signature = serde_json::from_str(&scope::current(tx, feeds.org, feed, id, "signature").await?)?;
        // Several households sign one grant, each for itself.
        let same = newer.subject_kind != "grant" || record.same_signer(newer);
        let alike = (&record.signer_role, &record.template) == (&newer.signer_role, &newer.template);
        if record.superseded_by.is_none() && alike && same {
            record.superseded_by = Some(newer.id);
            record.revision = feeds.revision(feed);
            feeds.put(tx, feed, "signature", id, &record).await?;
        }
    }
    Ok(())
}
