//! The grant file: application, decisions, payments, photos, signatures, and what proves them.

use super::{GrantFile, Occasion, Photo, Signed, Writer};
use crate::error::Result;
use crate::paper::{self, Column, Format, Row, Sheet, Style, Table};

/// More photos are listed by their hashes alone, so that no file is larger than what a phone opens.
pub const MOST_PHOTOS: usize = 120;
const COLUMNS: usize = 3;

/// The whole file as PDF on A4.
///
/// # Errors
/// When it cannot be written as PDF.
pub fn file(grant: GrantFile) -> Result<Vec<u8>> {
    let writer = Writer::new(grant.language, &grant.organisation);
    let texts = writer.texts;
    let number = grant.number.clone().unwrap_or_else(|| texts.no_number.into());
    let title = format!("{} {number}", texts.grant_file);
    let mut foot = format!("{number} · {} {}", texts.printed, writer.figures.time(grant.printed_at));
    if !grant.printed_by.is_empty() {
        foot = format!("{foot} · {}", grant.printed_by);
    }
    let mut sheet = Sheet::new(Format::A4, writer.furniture(&grant.organisation, &title, foot));
    sheet.letterhead(&grant.organisation.head());
    let mut part = Part { writer: &writer, sheet: &mut sheet, grant: &grant, headings: 0 };
    part.summary(&number);
    part.application();
    part.counting();
    part.decisions();
    part.payments();
    part.acknowledgements();
    part.utilisation();
    part.photos();
    part.signatures();
    part.proofs();
    sheet.finish(&title, &grant.organisation.name, grant.language, grant.printed_at)
}

struct Part<'a> {
    writer: &'a Writer,
    sheet: &'a mut Sheet,
    grant: &'a GrantFile,
    headings: usize,
}

impl Part<'_> {
    fn heading(&mut self, title: &str) {
        self.headings += 1;
        self.sheet.heading(&format!("{}. {title}", self.headings));
    }

    fn nothing(&mut self, text: &str) {
        self.sheet.paragraph(text, Style::QUIET);
    }

    fn applicant(&self) -> String {
        let names: Vec<&str> = self.grant.applicants.iter().map(|one| one.name.as_str()).collect();
        self.grant.group.clone().unwrap_or_else(|| names.join(", "))
    }

    fn summary(&mut self, number: &str) {
        let (grant, texts) = (self.grant, self.writer.texts);
        self.sheet.title(texts.grant_file, &format!("{number} · {}", grant.policy.name));
        self.sheet.band(&[
            (texts.amount, self.writer.figures.money(grant.amount.amount_minor)),
            (if grant.group.is_some() { texts.group } else { texts.applicant }, self.applicant()),
            (texts.state, self.writer.word("state", &grant.state)),
        ]);
    }

    fn application(&mut self) {
        let (grant, writer, texts) = (self.grant, self.writer, self.writer.texts);
        let money = |minor| writer.figures.money(minor);
        self.heading(texts.application);
        let policy = format!("{} ({}, {} {})", grant.policy.name, grant.policy.key, texts.version, grant.policy.version);
        self.sheet.facts(&[
            (texts.programme, grant.programme.clone()),
            (texts.policy, policy),
            (texts.village, grant.place.clone()),
            (texts.submitted_by, grant.submitted_by.clone()),
            (texts.submitted_at, writer.figures.time(grant.submitted_at)),
            (texts.note, grant.note.clone()),
        ]);
        self.sheet.subheading(texts.applicants);
        let columns =
            vec![Column::words(texts.household, 3.0), Column::words(texts.role, 1.2), Column::words(texts.village, 2.0)];
        let row = |one: &super::Applicant| Row::new([one.name.clone(), writer.word("member", &one.role), one.place.clone()]);
        self.sheet.table(&Table { columns, rows: grant.applicants.iter().map(row).collect(), size: 0.95 });
        self.sheet.subheading(texts.plan);
        if !grant.plan.description.trim().is_empty() {
            self.sheet.paragraph(&grant.plan.description, Style::PLAIN);
        }
        self.sheet.facts(&[
            (texts.income, money(grant.plan.projected_income_minor)),
            (texts.expenses, money(grant.plan.monthly_expenses_minor)),
            (texts.startup, money(grant.plan.startup_minor)),
        ]);
        if grant.plan.items.is_empty() {
            return self.nothing(texts.no_items);
        }
        let columns = vec![
            Column::words(texts.item, 1.0),
            Column::figures(texts.quantity),
            Column::figures(texts.unit),
            Column::figures(texts.total),
        ];
        let whole = |item: &super::Item| item.quantity.saturating_mul(item.unit_minor);
        let mut rows: Vec<Row> = Vec::new();
        for item in &grant.plan.items {
            let figures = &writer.figures;
            rows.push(Row::new([
                item.what.clone(),
                figures.count(item.quantity),
                figures.amount(item.unit_minor),
                figures.amount(whole(item)),
            ]));
        }
        let sum = grant.plan.items.iter().map(whole).fold(0, i64::saturating_add);
        rows.push(Row::sum([texts.total.into(), String::new(), String::new(), money(sum)]));
        self.sheet.gap(4.0);
        self.sheet.table(&Table { columns, rows, size: 0.95 });
    }

    fn counting(&mut self) {
        let (grant, writer, texts) = (self.grant, self.writer, self.writer.texts);
        let amount = &grant.amount;
        self.heading(texts.counting);
        if !grant.answers.is_empty() {
            let columns = vec![Column::words(texts.question, 2.0), Column::words(texts.answer, 1.0)];
            let rows = grant.answers.iter().map(|(name, value)| Row::new([name.clone(), value.clone()])).collect();
            self.sheet.table(&Table { columns, rows, size: 0.95 });
        }
        let columns = vec![Column::words(texts.step, 1.0), Column::figures(texts.factor), Column::figures(texts.result)];
        let money = |minor| writer.figures.money(minor);
        let mut rows = vec![Row::new([texts.base.into(), String::new(), money(amount.base_minor)])];
        for (name, by) in &amount.factors {
            rows.push(Row::new([name.clone(), factor(*by), String::new()]));
        }
        if amount.raw_minor != amount.amount_minor {
            rows.push(Row::new([texts.counted.into(), String::new(), money(amount.raw_minor)]));
        }
        let last = match amount.clamped.as_deref() {
            Some("least") => texts.least,
            Some("most") => texts.most,
            _ => texts.amount,
        };
        rows.push(Row::sum([last.into(), String::new(), money(amount.amount_minor)]));
        self.sheet.table(&Table { columns, rows, size: 0.95 });
        self.sheet.facts(&[(texts.phone_amount, amount.phone_minor.map_or_else(String::new, money))]);
    }

    fn decisions(&mut self) {
        let (writer, texts) = (self.writer, self.writer.texts);
        self.heading(texts.decisions);
        if self.grant.history.is_empty() {
            return self.nothing(texts.no_decisions);
        }
        let columns = vec![
            Column::words(texts.when, 1.5),
            Column::words(texts.what, 1.3),
            Column::words(texts.who, 1.6),
            Column::words(texts.reason, 2.8),
            Column::figures(texts.score),
        ];
        let rows = self.grant.history.iter().map(|step| {
            let score = step.score.map_or_else(String::new, |score| format!("{score}/100"));
            let event = writer.word("event", &step.event);
            let by = step.by.clone().unwrap_or_else(|| texts.by_time.into());
            Row::new([writer.figures.time(step.at), event, by, step.reason.clone(), score])
        });
        self.sheet.table(&Table { columns, rows: rows.collect(), size: 0.88 });
    }

    fn payments(&mut self) {
        let (writer, texts) = (self.writer, self.writer.texts);
        self.heading(texts.payments);
        if self.grant.tranches.is_empty() {
            return self.nothing(texts.no_payments);
        }
        let columns = vec![
            Column::figures(texts.part),
            Column::figures(texts.amount),
            Column::words(texts.state, 1.4),
            Column::words(texts.method, 1.6),
            Column::words(texts.paid_on, 1.3),
            Column::words(texts.released_by, 1.5),
            Column::words(texts.note, 1.4),
        ];
        let rows = self.grant.tranches.iter().map(|part| {
            let method = part.method.as_deref().map_or_else(String::new, |key| writer.word("method", key));
            let method = [method, part.reference.clone()].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>();
            let paid = part.released_on.as_deref().map_or_else(String::new, |day| writer.figures.day(day));
            Row::new([
                part.number.to_string(),
                writer.figures.money(part.amount_minor),
                [
                    writer.word("tranche", &part.state),
                    part.acknowledged_at.map_or_else(String::new, |at| writer.figures.date(at)),
                ]
                .join("\n"),
                method.join("\n"),
                paid,
                part.released_by.clone().unwrap_or_default(),
                part.note.clone(),
            ])
        });
        self.sheet.table(&Table { columns, rows: rows.collect(), size: 0.88 });
    }

    fn acknowledgements(&mut self) {
        let (writer, texts) = (self.writer, self.writer.texts);
        self.heading(texts.acknowledgements);
        if self.grant.acknowledgements.is_empty() {
            return self.nothing(texts.no_acknowledgements);
        }
        for one in &self.grant.acknowledgements {
            let part = format!("{} {} {} {}", texts.part, one.part, texts.of, self.grant.tranches.len().max(1));
            self.sheet.subheading(&format!("{part} · {}", writer.figures.money(one.amount_minor)));
            if !one.counted {
                let why = one.flag.as_deref().map_or_else(String::new, |key| writer.word("flag", key));
                self.sheet.warning(&format!("{}: {why}", texts.not_counted));
            }
            self.sheet.facts(&[
                (texts.received_by, one.received_by.clone()),
                (texts.received_on, writer.figures.time(one.received_at)),
                (texts.recorded_by, one.recorded_by.clone()),
                (texts.position, writer.position(one.position)),
                (texts.note, one.note.clone()),
            ]);
        }
    }

    fn utilisation(&mut self) {
        let (writer, texts) = (self.writer, self.writer.texts);
        self.heading(texts.utilisation);
        let Some(used) = &self.grant.utilisation else { return self.nothing(texts.no_utilisation) };
        let by = |name: &Option<String>, at| {
            let parts = [name.clone().unwrap_or_default(), writer.time(at)];
            parts.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", ")
        };
        self.sheet.facts(&[
            (texts.state, writer.word("utilisation", &used.state)),
            (texts.due_on, writer.figures.day(&used.due_on)),
            (texts.reported_by, by(&used.submitted_by, used.submitted_at)),
            (texts.note, used.note.clone()),
            (texts.decided_by, by(&used.decided_by, used.decided_at)),
            (texts.reason, used.decision_note.clone()),
        ]);
        if used.items.is_empty() {
            return;
        }
        let columns =
            vec![Column::words(texts.what, 2.4), Column::words(texts.spent_on, 1.0), Column::figures(texts.amount)];
        let mut rows: Vec<Row> = Vec::new();
        for item in &used.items {
            let day = writer.figures.day(&item.on);
            rows.push(Row::new([item.what.clone(), day, writer.figures.amount(item.amount_minor)]));
        }
        let money = |minor| writer.figures.money(minor);
        rows.push(Row::sum([texts.spent.into(), String::new(), money(used.spent_minor)]));
        let open = self.grant.amount.amount_minor.saturating_sub(used.spent_minor);
        if open > 0 {
            rows.push(Row::new([texts.not_spent.into(), String::new(), money(open)]));
        }
        self.sheet.gap(4.0);
        self.sheet.table(&Table { columns, rows, size: 0.95 });
    }

    fn photos(&mut self) {
        let (writer, texts) = (self.writer, self.writer.texts);
        let all = &self.grant.photos;
        self.heading(&format!("{} ({})", texts.photos, all.len()));
        if all.is_empty() {
            return self.nothing(texts.no_photos);
        }
        let shown = all.iter().enumerate().take(MOST_PHOTOS).map(|(i, photo)| {
            let absent = if photo.quarantined.is_some() { texts.photo_set_aside } else { texts.photo_missing };
            paper::Photo {
                title: name(writer, i, photo),
                lines: vec![writer.time(photo.captured_at), photo.by.clone(), writer.position(photo.position)],
                jpeg: photo.jpeg.clone(),
                absent: absent.into(),
            }
        });
        self.sheet.photos(shown.collect(), COLUMNS);
        if all.len() > MOST_PHOTOS {
            self.nothing(&format!("{} {}", all.len() - MOST_PHOTOS, texts.more_photos));
        }
    }

    fn signatures(&mut self) {
        let texts = self.writer.texts;
        if let Some(first) = self.grant.signatures.first() {
            self.sheet.keep(&first.statement, Style::QUIET, 15.0);
        }
        self.heading(&format!("{} ({})", texts.signatures, self.grant.signatures.len()));
        if self.grant.signatures.is_empty() {
            return self.nothing(texts.no_signatures);
        }
        for (i, signed) in self.grant.signatures.iter().enumerate() {
            let statement = format!("“{}”", signed.statement.trim());
            self.sheet.keep(&statement, Style::QUIET, 11.0);
            self.sheet.subheading(&signature_name(self.writer, i, signed));
            self.sheet.paragraph(&statement, Style::QUIET);
            if signed.ink.is_none() {
                self.nothing(texts.signature_missing);
            }
            if !signed.verified {
                self.sheet.warning(texts.not_verified);
            }
            let alt = format!("{} {}", texts.signature_of, signed.signer_name);
            self.sheet.signature(signed.ink.as_ref(), &alt, &facts(self.writer, signed));
        }
    }

    fn proofs(&mut self) {
        let (grant, writer, texts) = (self.grant, self.writer, self.writer.texts);
        self.heading(texts.proofs);
        self.sheet.paragraph(texts.proofs_text, Style::QUIET);
        let columns = vec![Column::words(texts.thing, 2.0), Column::words("SHA-256", 2.8)];
        let mut rows: Vec<Row> = Vec::new();
        for (i, photo) in grant.photos.iter().enumerate() {
            rows.push(Row::new([name(writer, i, photo), photo.sha256.clone()]));
        }
        for (i, signed) in grant.signatures.iter().enumerate() {
            rows.push(Row::new([signature_name(writer, i, signed), signed.sha256.clone()]));
        }
        if !rows.is_empty() {
            self.sheet.table(&Table { columns, rows, size: 0.74 });
        }
        let columns = vec![
            Column::words(texts.signatures, 0.8),
            Column::figures(texts.chain),
            Column::words(texts.server_signature, 2.2),
            Column::words(texts.device_key, 1.5),
        ];
        let rows = grant.signatures.iter().enumerate().map(|(i, signed)| {
            let device = signed.device_key.clone().unwrap_or_else(|| texts.no_device_key.into());
            Row::new([(i + 1).to_string(), signed.sequence.to_string(), signed.server_signature.clone(), device])
        });
        if !grant.signatures.is_empty() {
            self.sheet.table(&Table { columns, rows: rows.collect(), size: 0.74 });
        }
        let columns =
            vec![Column::words(texts.chains, 1.6), Column::figures(texts.chain), Column::words(texts.hash_or_key, 2.8)];
        let mut rows: Vec<Row> = Vec::new();
        let heads = [(texts.signature_head, &grant.proofs.signature_head), (texts.audit_head, &grant.proofs.audit_head)];
        for (name, head) in heads {
            let Some((number, hash)) = head else { continue };
            rows.push(Row::new([name.into(), writer.figures.count(*number), hash.clone()]));
        }
        if !grant.proofs.server_key.is_empty() {
            rows.push(Row::new([texts.server_key.into(), String::new(), grant.proofs.server_key.clone()]));
        }
        if !rows.is_empty() {
            self.sheet.table(&Table { columns, rows, size: 0.74 });
        }
    }
}

/// A photo's number and what it shows: the same beside the picture and beside its hash.
fn name(writer: &Writer, at: usize, photo: &Photo) -> String {
    let slot = writer.word("slot", &photo.slot);
    let of = match photo.of {
        Occasion::Application => writer.texts.application.to_owned(),
        Occasion::Part(part) => format!("{} {part}", writer.texts.part),
        Occasion::Use => writer.texts.utilisation.to_owned(),
    };
    format!("{}. {slot} · {of}", at + 1)
}

fn signature_name(writer: &Writer, at: usize, signed: &Signed) -> String {
    format!("{} {}: {}", writer.texts.signature, at + 1, signed.signer_name)
}

/// What is known of a signature.
pub(super) fn facts<'a>(writer: &'a Writer, signed: &Signed) -> Vec<(&'a str, String)> {
    let texts = writer.texts;
    let check = if signed.verified { texts.verified } else { texts.not_verified };
    vec![
        (texts.signed_by, signed.signer_name.clone()),
        (texts.role, writer.word("signer", &signed.signer_role)),
        (texts.household, signed.household.clone()),
        (texts.witness, signed.witness.clone().unwrap_or_default()),
        (texts.signed_at, writer.figures.time(signed.signed_at)),
        (texts.arrived_at, writer.figures.time(signed.received_at)),
        (texts.shown_in, writer.word("language", &signed.language)),
        (texts.check, check.into()),
    ]
}

/// `× 1.15`
fn factor(by: i64) -> String {
    let text = format!("× {}.{:04}", by / 10_000, by.unsigned_abs() % 10_000);
    let short = text.trim_end_matches('0');
    // Two digits at least, as people write it.
    text[..short.len().max(text.len() - 2)].to_owned()
}
