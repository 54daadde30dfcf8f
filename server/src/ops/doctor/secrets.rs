//! The installation's secret, and whom push services may write to.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use super::Finding;
use crate::config::Config;
use crate::crypto::unb64;

/// As the command makes one.
const MAKE: &str = "a new one: head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '='";

pub fn secret(config: &Config) -> Finding {
    const WHAT: &str = "secret";
    let path = config.data_dir.join("secret.key");
    let (text, from) = match &config.secret {
        Some(secret) => (secret.clone(), "KILELE_SECRET".to_owned()),
        None => match std::fs::read_to_string(&path) {
            Ok(text) => (text, path.display().to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Finding::warning(
                    WHAT,
                    format!("{} is not there yet", path.display()),
                    "it is made at the first start; then keep a copy of it apart from the backups",
                );
            }
            Err(error) => {
                return Finding::bad(WHAT, format!("{}: {error}", path.display()), "let the user of the server read it");
            }
        },
    };
    let Some(bytes) = unb64(text.trim()).filter(|bytes| bytes.len() >= 32) else {
        return Finding::bad(WHAT, format!("{from} is not 32 bytes as base64url"), MAKE);
    };
    // Chance gives 30 different bytes of 32; a repeated word or a row of zeros gives a few.
    if bytes.iter().collect::<BTreeSet<_>>().len() < 16 {
        return Finding::bad(WHAT, format!("{from} can be guessed"), format!("before there is any data: {MAKE}"));
    }
    if config.secret.is_none() {
        let mode = std::fs::metadata(&path).map_or(0, |known| known.permissions().mode() & 0o777);
        if mode & 0o077 != 0 {
            return Finding::bad(
                WHAT,
                format!("{from} may be read by others (mode {mode:o})"),
                format!("chmod 600 {}", path.display()),
            );
        }
    }
    Finding::good(WHAT, format!("{from} is strong; keep a copy of it apart from the backups"))
}

pub fn vapid(config: &Config) -> Finding {
    const WHAT: &str = "vapid_subject";
    let subject = &config.vapid_subject;
    let mend = "KILELE_VAPID_SUBJECT=mailto:somebody@your.domain";
    let address = subject.strip_prefix("mailto:").is_some_and(|address| address.contains('@') && address.contains('.'));
    if subject.contains("localhost") {
        Finding::warning(WHAT, "push services cannot write to you: some refuse to deliver", mend)
    } else if address || subject.starts_with("https://") {
        Finding::good(WHAT, format!("push services may write to {subject}"))
    } else {
        Finding::bad(WHAT, format!("{subject} is neither mailto: nor https:"), mend)
    }
}
