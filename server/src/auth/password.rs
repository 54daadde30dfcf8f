//! Passwords: Argon2id, at least twelve characters.

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
/// 422 `password_too_short` or `password_too_long`.
pub async fn hash(password: String) -> Result<String> {
    match password.chars().count() {
        0..SHORTEST => {
            return Err(Error::refused("password_too_short", "A password needs at least 12 characters.").field("password"));
        }
        LONGEST.. => {
            return Err(Error::refused("password_too_long", "A password has at most 200 characters.").field("password"));
        }
        _ => {}
    }
    blocking(move || {
        let salt = SaltString::encode_b64(&random::<16>()).map_err(|e| anyhow::anyhow!("salt: {e}"))?;
        let hash = Argon2::default().hash_password(password.as_bytes(), &salt).map_err(|e| anyhow::anyhow!("hash: {e}"))?;
        Ok(hash.to_string())
    })
    .await
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
