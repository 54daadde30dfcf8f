//! The mail server: can it be reached, and does it take us in?

use std::time::Duration;

use super::Finding;
use crate::config::Config;
use crate::notifications::Mail;

const PATIENCE: Duration = Duration::from_secs(15);

pub async fn server(config: &Config) -> Finding {
    const WHAT: &str = "email";
    let mend = "look at KILELE_SMTP_URL and KILELE_MAIL_FROM (docs/told.md), and whether this machine may reach the port";
    let mail = match Mail::open(config) {
        Ok(Some(mail)) => mail,
        Ok(None) => {
            let said = "no e-mails are sent: whoever has no phone with push hears of nothing";
            return Finding::warning(WHAT, said, "KILELE_SMTP_URL=smtps://user:password@host and KILELE_MAIL_FROM");
        }
        Err(error) => return Finding::bad(WHAT, format!("{error:#}"), mend),
    };
    let clear = config.smtp_url.as_deref().is_some_and(|url| url.starts_with("smtp://") && !url.contains("tls="));
    match tokio::time::timeout(PATIENCE, mail.knock()).await {
        Ok(Ok(())) if config.mail_from.contains("localhost.localdomain") => Finding::warning(
            WHAT,
            "the mail server answers; nobody can answer the sender",
            "KILELE_MAIL_FROM=Kilele <kilele@your.domain>",
        ),
        Ok(Ok(())) if clear => Finding::warning(
            WHAT,
            "the mail server takes us in, in clear",
            "KILELE_SMTP_URL=smtps://…, or smtp://…:587?tls=required",
        ),
        Ok(Ok(())) => Finding::good(WHAT, "the mail server takes us in"),
        Ok(Err(why)) => Finding::bad(WHAT, format!("the mail server does not take us in: {why}"), mend),
        Err(_) => Finding::bad(WHAT, "the mail server does not answer within 15 s", mend),
    }
}
