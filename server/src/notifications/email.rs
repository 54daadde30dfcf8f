//! E-mail: one sentence as text and as HTML, with the way into the app, over the organisation's own mail server.

use std::time::Duration;

use anyhow::Context;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::outcome::Outcome;
use crate::config::Config;

pub struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

/// One e-mail. Nothing in it names a household.
pub struct Letter<'a> {
    pub to: &'a str,
    /// The same each time it is tried, so that mailboxes know it again.
    pub id: String,
    pub organisation: &'a str,
    pub sentence: &'a str,
    pub language: &'a str,
    pub url: &'a str,
    /// Below; else where one chooses how one is told.
    pub why: Option<&'a str>,
}

/// Told to those who answer by themselves.
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".into())
    }
}

/// An address, if it is one.
pub fn parsed(text: &str) -> Option<Address> {
    text.parse().ok()
}

impl Mail {
    /// Nothing when no mail server is set.
    ///
    /// # Errors
    /// When the settings are no address of a mail server, or of a sender.
    pub fn open(config: &Config) -> anyhow::Result<Option<Self>> {
        let Some(url) = &config.smtp_url else { return Ok(None) };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url).context("KILELE_SMTP_URL")?;
        let transport = transport.timeout(Some(Duration::from_secs(20))).build();
        Ok(Some(Self { transport, from: config.mail_from.parse().context("KILELE_MAIL_FROM")? }))
    }

    /// Whether the mail server takes us in: its name, its certificate, and the password.
    ///
    /// # Errors
    /// Why not, in words without the password.
    pub async fn knock(&self) -> Result<(), String> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err("it does not take us in".into()),
            Err(error) => {
                let causes = std::iter::successors(std::error::Error::source(&error), |error| error.source());
                Err(std::iter::once(error.to_string()).chain(causes.map(ToString::to_string)).collect::<Vec<_>>().join(": "))
            }
        }
    }

    pub async fn send(&self, letter: Letter<'_>) -> Outcome {
        let Some(message) = self.message(&letter) else { return Outcome::Refused("address") };
        match self.transport.send(message).await {
            Ok(_) => Outcome::Sent,
            Err(error) if error.is_permanent() => Outcome::Refused("refused"),
            Err(error) => {
                // The server's own words may hold the address.
                tracing::warn!(
                    timeout = error.is_timeout(),
                    tls = error.is_tls(),
                    "the mail server does not take an e-mail now"
                );
                Outcome::Later(None)
            }
        }
    }

    fn message(&self, letter: &Letter<'_>) -> Option<Message> {
        let host = self.from.email.domain();
        let built = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, parsed(letter.to)?))
            .subject(letter.sentence)
            .message_id(Some(format!("<{}@{host}>", letter.id)))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(letter.text(), letter.html()));
        built.ok()
    }
}

impl Letter<'_> {
    /// The button, and why this comes.
    fn words(&self) -> (&'static str, &str) {
        let (open, why) = match self.language {
            "sw" => ("Fungua Kilele", "Unaweza kuchagua unavyopashwa habari katika Kilele, chini ya Mimi."),
            _ => ("Open Kilele", "You choose how you are told in Kilele, under Me."),
        };
        (open, self.why.unwrap_or(why))
    }

    fn text(&self) -> String {
        let (open, why) = self.words();
        format!("{}.\n\n{open}: {}\n\n-- \n{}\n{why}\n", self.sentence, self.url, self.organisation)
    }

    fn html(&self) -> String {
        let (open, why) = self.words();
        let [sentence, url, organisation] = [self.sentence, self.url, self.organisation].map(escaped);
        format!(
            "<!doctype html><html lang=\"{language}\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
             <meta name=\"color-scheme\" content=\"light dark\"><title>{sentence}</title>\
             <body style=\"margin:0;padding:24px;font:16px/1.5 system-ui,sans-serif\"><div style=\"max-width:32em;margin:auto\">\
             <p style=\"font-size:20px;margin:0 0 24px\">{sentence}.</p>\
             <p style=\"margin:0 0 32px\"><a href=\"{url}\" style=\"display:inline-block;padding:14px 22px;border-radius:10px;\
             background:#14532d;color:#fff;text-decoration:none;font-weight:600\">{open}</a></p>\
             <p style=\"font-size:14px;opacity:.75;margin:0\">{organisation}<br>{why}</p></div></body></html>\n",
            language = self.language,
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
