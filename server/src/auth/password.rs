//! Passwords: Argon2id, at least twelve characters, and none that everybody tries first.

use std::collections::HashSet;
use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use tokio::sync::Semaphore;

use crate::clock::random;
use crate::error::{Error, Result};

const SHORTEST: usize = 12;
const LONGEST: usize = 200;

/// Checks the rules, then hashes off the async threads (about 50 ms).
///
/// # Errors
/// 422 `password_too_short`, `password_too_long` or `password_common`.
pub async fn hash(password: String) -> Result<String> {
    match password.chars().count() {
        0..SHORTEST => {
            return Err(Error::refused("password_too_short", "A password needs at least 12 characters.").field("password"));
        }
        LONGEST.. => {
            return Err(Error::refused("password_too_long", "A password has at most 200 characters.").field("password"));
        }
        _ => fit(&password, &[])?,
    }
    blocking(move || {
        let salt = SaltString::encode_b64(&random::<16>()).map_err(|e| anyhow::anyhow!("salt: {e}"))?;
        let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(|e| anyhow::anyhow!("hash: {e}"))?;
        Ok(hash.to_string())
    })
    .await
}

/// Passwords that everybody tries first, sorted: lower case, from zxcvbn-ts (MIT) and Django (BSD); see docs/security.md.
const COMMON: &str = include_str!("common-passwords.txt");
static KNOWN: LazyLock<HashSet<&str>> = LazyLock::new(|| COMMON.lines().collect());
/// Fewer different characters than this are a pattern.
const DIFFERENT: usize = 5;

/// Refuses what is guessed first: a common password, one with digits or signs about it, one word twice, a pattern, and
/// what is known of the person (`own`).
///
/// # Errors
/// 422 `password_common`.
pub fn fit(password: &str, own: &[&str]) -> Result<()> {
    let plain = password.trim().to_lowercase();
    let core = plain.trim_matches(|c: char| !c.is_alphabetic());
    let half = &core[..core.char_indices().nth(core.chars().count() / 2).map_or(0, |(at, _)| at)];
    let twice = !half.is_empty() && half.repeat(2) == core;
    let known = |text: &str| KNOWN.contains(text) || text.starts_with("kilele") && text.len() < 10;
    let theirs = own.iter().any(|text| {
        let text = text.trim().to_lowercase();
        text.chars().count() > 3 && (core == text || plain == text)
    });
    let different: HashSet<char> = plain.chars().collect();
    let steps: HashSet<i64> =
        plain.chars().zip(plain.chars().skip(1)).map(|(a, b)| i64::from(u32::from(b)) - i64::from(u32::from(a))).collect();
    if known(&plain) || known(core) || (twice && known(half)) || theirs || different.len() < DIFFERENT || steps.len() < 3 {
        let message = "Many people use this password, or one like it. Choose another: three or four words that do not belong together are good.";
        return Err(Error::refused("password_common", message).field("password"));
    }
    Ok(())
}

/// Whether the password fits; takes as long when there is no hash, so that nobody learns who has an account.
pub async fn verify(password: String, hash: Option<String>) -> Result<bool> {
    blocking(move || {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| DUMMY.to_owned());
        let hash = PasswordHash::new(&hash).map_err(|e| anyhow::anyhow!("stored hash: {e}"))?;
        Ok(Argon2::default().verify_password(password.as_bytes(), &hash).is_ok() && known)
    })
    .await
}

/// A hash of nothing anyone types, with the default parameters.
const DUMMY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$QVJHT04yaWQgZHVtbXkgaGFzaCBvZiBub3RoaW5nISE";

/// Hashes at once: each takes 19 MB, and nobody may fill the memory by trying passwords.
static HASHING: Semaphore = Semaphore::const_new(4);

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> anyhow::Result<T> + Send + 'static) -> Result<T> {
    let _permit = HASHING.acquire().await.map_err(Error::unexpected)?;
    tokio::task::spawn_blocking(work).await.map_err(Error::unexpected)?.map_err(Error::unexpected)
}

#[cfg(test)]
mod tests {
    use super::fit;

    #[test]
    fn what_is_guessed_first_is_refused() {
        for bad in [
            "password1234",
            "Password!2024",
            "1234567890123",
            "qwertyuiop123",
            "sunshine2026!",
            "aaaaaaaaaaaa",
            "abababababab",
            "iloveyouiloveyou",
            "abcdefghijklmnop",
            "kilele123456",
            "1q2w3e4r5t6y",
            "football99999",
        ] {
            assert!(fit(bad, &[]).is_err(), "{bad}");
        }
        assert!(fit("amina.mentor2026", &["amina.mentor"]).is_err());
        for good in ["kiboko-ndizi-treni", "a long enough one", "Nne mbili punda!", "kilele-demo-2026", "9f3kq0vz7wma"] {
            assert!(fit(good, &["amina.mentor"]).is_ok(), "{good}");
        }
    }

    #[test]
    fn the_list_is_sorted_and_in_lower_case() {
        let lines: Vec<&str> = super::COMMON.lines().collect();
        assert!(lines.len() > 15_000 && lines.is_sorted() && lines.iter().all(|l| **l == l.to_lowercase()));
    }
}
