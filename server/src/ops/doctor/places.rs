//! Where pictures and backups lie: can they be written, read and removed, and is there a good backup?

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{Duration, Instant};

use kilele_media::{Store, StoreError};

use super::Finding;
use crate::clock::{Clock, HOUR, new_id};
use crate::config::Config;
use crate::crypto::Crypto;
use crate::ops::backup::{Place, when};

const PATIENCE: Duration = Duration::from_secs(20);

pub async fn storage(config: &Config) -> Finding {
    const WHAT: &str = "storage";
    let url = &config.media_url;
    let mend = "look at KILELE_MEDIA_URL and AWS_… (docs/uploads.md)";
    if url == "memory:" {
        return Finding::bad(WHAT, "pictures are gone with the process", "KILELE_MEDIA_URL=file:///… or s3://…");
    }
    // To open it would make it.
    if url.strip_prefix("file://").is_some_and(|folder| !Path::new(folder).exists()) {
        return Finding::good(WHAT, format!("{url} is made at the first start"));
    }
    let store = match Store::open(url, &config.media_options) {
        Ok(store) => store,
        Err(error) => return Finding::bad(WHAT, error.to_string(), mend),
    };
    let begun = Instant::now();
    match tokio::time::timeout(PATIENCE, store.canary()).await {
        Ok(Ok(())) => {
            let took = begun.elapsed().as_millis();
            let said = format!("{url}: written, read and removed in {took} ms");
            if took > 1_000 {
                Finding::warning(WHAT, said, "a storage nearer to the server")
            } else {
                Finding::good(WHAT, said)
            }
        }
        Ok(Err(error)) => Finding::bad(WHAT, format!("{url}: {error}"), mend),
        Err(_) => Finding::bad(WHAT, format!("{url} does not answer within 20 s"), mend),
    }
}

pub async fn backups(config: &Config, clock: &Clock) -> Vec<Finding> {
    const WHAT: &str = "backup";
    if config.backup_url.is_none() {
        return vec![Finding::bad(
            WHAT,
            "no backups are made",
            "KILELE_BACKUP_URL=file:///mnt/another-disk or s3://bucket/prefix",
        )];
    }
    let mut found = Vec::new();
    let place = match Place::open(config, None) {
        Ok(place) => place,
        Err(error) => return vec![Finding::bad(WHAT, format!("{error:#}"), "look at KILELE_BACKUP_URL")],
    };
    let tried = tokio::time::timeout(PATIENCE, round(&place)).await;
    match tried {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            return vec![Finding::bad(WHAT, format!("{}: {error}", place.url), "let the user of the server write there")];
        }
        Err(_) => {
            return vec![Finding::bad(
                WHAT,
                format!("{} does not answer within 20 s", place.url),
                "look at KILELE_BACKUP_URL",
            )];
        }
    }
    if same_disk(config, &place.url) {
        found.push(Finding::warning(
            WHAT,
            format!("{} is on the disk of the data: both go together", place.url),
            "another disk, another machine, or s3://…",
        ));
    }
    if place.recipients.is_empty() {
        found.push(Finding::warning(
            "backup_seal",
            "backups are not sealed: whoever has them reads names and pictures",
            "kilele backup key, and KILELE_BACKUP_RECIPIENTS=age1…",
        ));
    } else {
        found.push(Finding::good("backup_seal", format!("sealed to {} recipients", place.recipients.len())));
    }
    found.push(newest(config, clock, &place).await);
    found
}

async fn newest(config: &Config, clock: &Clock, place: &Place) -> Finding {
    const WHAT: &str = "backup_age";
    let mend = "kilele backup; then look at the log of the server for why it makes none";
    // No secret is made just to look.
    let known = config.secret.is_some() || config.data_dir.join("secret.key").exists();
    let crypto = if known { Crypto::open(config).ok() } else { None };
    let Some(crypto) = crypto else { return Finding::good(WHAT, "nothing to copy yet") };
    match place.find(&crypto, None).await {
        Ok(newest) => {
            let hours = (clock.now() - when(&newest.name).unwrap_or(newest.made_at)) / HOUR;
            if hours > 26 {
                Finding::bad(WHAT, format!("the newest backup is {hours} hours old"), mend)
            } else if !newest.missing.is_empty() {
                let said =
                    format!("{hours} hours; {} pictures were not in the storage when it was made", newest.missing.len());
                Finding::warning(WHAT, said, "kilele media verify")
            } else {
                Finding::good(WHAT, format!("the newest backup is {hours} hours old"))
            }
        }
        Err(error) => Finding::bad(WHAT, format!("{error:#}"), mend),
    }
}

/// Written, read, compared and removed.
async fn round(place: &Place) -> Result<(), StoreError> {
    let name = format!("canary/{}", new_id());
    place.shelf.put(&name, bytes::Bytes::from(name.clone())).await?;
    let heard = place.shelf.get(&name).await?;
    place.shelf.remove(&name).await?;
    if heard == name { Ok(()) } else { Err(StoreError::Unavailable("other bytes came back".into())) }
}

fn same_disk(config: &Config, url: &str) -> bool {
    let disk = |path: &Path| path.ancestors().find_map(|path| std::fs::metadata(path).ok()).map(|known| known.dev());
    url.strip_prefix("file://").is_some_and(|folder| disk(Path::new(folder)) == disk(&config.data_dir))
}
