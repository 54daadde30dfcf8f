//! The server's own certificate: looked at once a day at the public address, as phones see it.

use std::time::Duration;

use uuid::Uuid;
use x509_cert::Certificate;
use x509_cert::der::Decode;

use crate::app::App;
use crate::clock::{DAY, Millis};
use crate::error::Result;
use crate::jobs;

/// Asks for today's look where phones come by https.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(app: &App) -> Result<()> {
    if !app.config.public_url.starts_with("https://") {
        return Ok(());
    }
    let now = app.clock.now();
    let looked: Option<(Millis,)> = app
        .db
        .query("SELECT looked_at FROM tls_certificate WHERE url = $1 AND looked_at > $2")
        .bind(app.config.public_url.as_str())
        .bind(now - DAY)
        .optional()
        .await?;
    let org: Option<(Uuid,)> =
        app.db.query("SELECT id FROM organisation ORDER BY created_at, id LIMIT 1").optional().await?;
    let (None, Some((org,))) = (looked, org) else { return Ok(()) };
    let job = jobs::New { kind: "tls", dedupe: format!("tls:{}", now / DAY), run_at: now };
    app.db.write(move |tx| Box::pin(async move { jobs::enqueue(tx, org, job, &()).await })).await
}

/// Looks, and keeps what was seen. An address that does not answer says nothing new: `kilele doctor` and monitoring tell
/// of that.
///
/// # Errors
/// When the database does not answer.
pub async fn job(app: &App) -> Result<()> {
    let (url, now) = (app.config.public_url.clone(), app.clock.now());
    let seen = ends(&url).await;
    if seen.is_none() {
        tracing::warn!("the certificate of the public address could not be looked at");
    }
    app.db
        .write(move |tx| {
            Box::pin(async move {
                tx.query(
                    "INSERT INTO tls_certificate (url, looked_at, expires_at) VALUES ($1, $2, $3)
                     ON CONFLICT (url) DO UPDATE SET looked_at = excluded.looked_at,
                         expires_at = COALESCE(excluded.expires_at, tls_certificate.expires_at)",
                )
                .bind(url)
                .bind(now)
                .bind(seen)
                .run()
                .await
                .map(drop)
            })
        })
        .await
}

/// When the certificate at this address ends.
async fn ends(url: &str) -> Option<Millis> {
    // Only the date is of interest, also of one that nobody believes any more; nothing but the question goes there.
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(10))
        .redirect(reqwest::redirect::Policy::none())
        .tls_danger_accept_invalid_certs(true)
        .tls_info(true)
        .build()
        .ok()?;
    let answer = client.get(format!("{url}/health")).send().await.ok()?;
    let shown = answer.extensions().get::<reqwest::tls::TlsInfo>()?.peer_certificate()?.to_vec();
    let certificate = Certificate::from_der(&shown).ok()?;
    Millis::try_from(certificate.tbs_certificate.validity.not_after.to_unix_duration().as_millis()).ok()
}
