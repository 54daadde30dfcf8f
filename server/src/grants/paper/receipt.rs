//! The receipt for one part of a grant, with a code that a colleague's phone checks.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Serialize;

use super::{Receipt, Writer};
use crate::error::Result;
use crate::paper::{Format, Sheet, Style, Tone, Weight};

/// What it is printed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    A4,
    A6,
    /// A screen: as wide as a hand, as long as what is on it.
    Phone,
}

/// The receipt as PDF.
///
/// # Errors
/// When it cannot be written as PDF.
pub fn receipt(receipt: &Receipt, size: Size) -> Result<Vec<u8>> {
    let writer = Writer::new(receipt.language, &receipt.organisation);
    let texts = writer.texts;
    let format = match size {
        Size::A4 => Format::A4,
        Size::A6 => Format::A6,
        Size::Phone => Format::PHONE,
    };
    let part = format!("{} {} {} {}", texts.part, receipt.part, texts.of, receipt.parts);
    let title = format!("{} {} · {part}", texts.receipt, receipt.grant);
    let foot = format!("{} {}", texts.printed, writer.figures.time(receipt.printed_at));
    let mut sheet = Sheet::new(format, writer.furniture(&receipt.organisation, &title, foot));
    sheet.letterhead(&receipt.organisation.head());
    sheet.title(texts.receipt, &format!("{} · {part}", receipt.grant));
    sheet.band(&[(texts.amount, writer.figures.money(receipt.amount_minor))]);
    if !receipt.counted {
        let why = receipt.flag.as_deref().map_or_else(String::new, |key| writer.word("flag", key));
        sheet.warning(&format!("{} {why}", texts.receipt_not_counted));
    }
    let method = receipt.method.as_deref().map_or_else(String::new, |key| writer.word("method", key));
    let method = [method, receipt.reference.clone()].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
    // On the small paper what belongs together shares a line, and the signature stands beside the code.
    let small = size == Size::A6;
    let kind = if small { format!("{} · {}", receipt.programme, receipt.policy) } else { receipt.programme.clone() };
    sheet.facts(&[
        (texts.received_by, receipt.recipient.clone()),
        (texts.village, receipt.place.clone()),
        (texts.programme, kind),
        (texts.policy, if small { String::new() } else { receipt.policy.clone() }),
        (texts.method, method.join(", ")),
        (texts.paid_on, receipt.released_on.as_deref().map_or_else(String::new, |day| writer.figures.day(day))),
        (texts.received_on, writer.figures.time(receipt.received_at)),
        (texts.recorded_by, receipt.recorded_by.clone()),
    ]);
    sheet.gap(format.size * 0.4);
    let mut beside = Vec::new();
    let mut ink = None;
    match &receipt.signature {
        Some(signed) => {
            sheet.paragraph(&format!("“{}”", signed.statement.trim()), Style { size: 0.85, ..Style::QUIET });
            if !signed.verified {
                sheet.warning(texts.not_verified);
            }
            let alt = format!("{} {}", texts.signature_of, signed.signer_name);
            let at = writer.figures.time(signed.signed_at);
            if small {
                ink = signed.ink.as_ref().map(|ink| (ink, alt));
                beside.push((format!("{}, {at}", signed.signer_name), Style { size: 0.9, ..Style::PLAIN }));
            } else {
                let witness = signed.witness.clone().unwrap_or_default();
                let facts = [(texts.signed_by, signed.signer_name.clone()), (texts.witness, witness), (texts.signed_at, at)];
                sheet.signature(signed.ink.as_ref(), &alt, &facts);
                sheet.gap(format.size * 0.6);
            }
        }
        None => sheet.paragraph(texts.signature_missing, Style::QUIET),
    }
    let hash = receipt.signature.as_ref().map_or("", |signed| &signed.sha256);
    beside.extend([
        (texts.keep.to_owned(), Style { weight: Weight::Bold, tone: Tone::Brand, size: 1.0 }),
        (texts.scan.to_owned(), Style { size: 0.85, ..Style::QUIET }),
        (hash.get(..32).unwrap_or(hash).to_owned(), Style { size: 0.7, ..Style::QUIET }),
    ]);
    sheet.gap(format.size * 0.5);
    let ink = ink.as_ref().map(|(ink, alt)| (*ink, alt.as_str()));
    sheet.code(&code(receipt)?, texts.code, (format.inner() * 0.4).min(98.0), ink, &beside);
    sheet.finish(&title, &receipt.organisation.name, receipt.language, receipt.printed_at)
}

/// What the code says: enough to look the receipt up among one's own records, and to see that it is the same.
#[derive(Serialize)]
struct Code<'a> {
    /// The grant's number.
    g: &'a str,
    /// The part.
    t: i64,
    /// The amount in minor units.
    a: i64,
    /// The currency.
    c: &'a str,
    /// When it was received.
    d: i64,
    /// The acknowledgement.
    k: String,
    /// The beginning of the signature's hash.
    h: &'a str,
}

/// `KILELE-R1.` and what the receipt says, as base64url of compact JSON.
///
/// # Errors
/// Never: numbers and texts are JSON.
pub fn code(receipt: &Receipt) -> Result<String> {
    let hash = receipt.signature.as_ref().map_or("", |signed| signed.sha256.as_str());
    let json = serde_json::to_vec(&Code {
        g: &receipt.grant,
        t: receipt.part,
        a: receipt.amount_minor,
        c: &receipt.organisation.currency,
        d: receipt.received_at,
        k: receipt.acknowledgement.to_string(),
        h: hash.get(..32).unwrap_or(hash),
    })?;
    Ok(format!("KILELE-R1.{}", BASE64_URL_SAFE_NO_PAD.encode(json)))
}
