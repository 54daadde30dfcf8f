//! Where backups lie, which there are, and whether one is what this installation wrote.

use std::io::BufRead;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use kilele_media::{Shelf, StoreError};

use super::age::{Identity, Recipient};
use super::{Manifest, Object, spool};
use crate::clock::{Millis, random};
use crate::config::Config;
use crate::crypto::{Crypto, b64, hex};

/// A folder or object storage, and to whom what is written there is sealed.
pub struct Place {
    pub url: String,
    pub shelf: Shelf,
    pub recipients: Vec<Recipient>,
}

/// The moment in a backup's name.
const MOMENT: &str = "%Y%m%dT%H%M%SZ";

impl Place {
    /// `url`, or the one of the settings.
    pub fn open(config: &Config, url: Option<&str>) -> Result<Self> {
        let url = url.or(config.backup_url.as_deref());
        let url = url.context("say where backups lie: KILELE_BACKUP_URL, such as file:///var/backups/kilele")?;
        // A path alone is a folder.
        let url =
            if url.contains("://") { url.to_owned() } else { format!("file://{}", std::path::absolute(url)?.display()) };
        let shelf = Shelf::open(&url, &config.media_options).context("KILELE_BACKUP_URL")?;
        let recipients = config.backup_recipients.iter().map(|text| Recipient::parse(text)).collect::<Result<_>>();
        Ok(Self { url, shelf, recipients: recipients.context("KILELE_BACKUP_RECIPIENTS")? })
    }

    /// Names of all backups, whole or not, the oldest first.
    pub async fn names(&self) -> Result<Vec<String>> {
        Ok(self.shelf.folders().await?.into_iter().filter(|name| when(name).is_some()).collect())
    }

    /// The backup of this name, or the newest whole one.
    pub async fn find(&self, crypto: &Crypto, name: Option<&str>) -> Result<Manifest> {
        if let Some(name) = name {
            return self
                .manifest(crypto, name)
                .await?
                .with_context(|| format!("there is no whole backup {name} in {}", self.url));
        }
        for name in self.names().await?.iter().rev() {
            if let Some(manifest) = self.manifest(crypto, name).await? {
                return Ok(manifest);
            }
        }
        bail!("there is no backup in {}", self.url)
    }

    /// The moments of all whole backups, the oldest first; those that cannot be read are none.
    pub async fn whole(&self, crypto: &Crypto) -> Result<Vec<Millis>> {
        let mut times = Vec::new();
        for name in self.names().await? {
            times.extend(self.manifest(crypto, &name).await.ok().flatten().map(|manifest| manifest.made_at));
        }
        Ok(times)
    }

    /// What a backup says of itself; nothing when it was never finished.
    ///
    /// # Errors
    /// When it is not what this installation wrote, to the byte.
    pub async fn manifest(&self, crypto: &Crypto, name: &str) -> Result<Option<Manifest>> {
        let bytes = match self.shelf.get(&format!("{name}/manifest")).await {
            Ok(bytes) => bytes,
            Err(StoreError::NotFound) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let said = || format!("{name}/manifest is damaged, or was made with another secret than this installation's");
        let text = std::str::from_utf8(&bytes).ok().with_context(said)?;
        let body =
            text.strip_suffix('\n').and_then(|text| text.rsplit_once('\n')).map(|(body, _)| body).with_context(said)?;
        ensure!(text == signed(crypto, body), said());
        let manifest: Manifest = serde_json::from_str(body).with_context(said)?;
        ensure!(manifest.name == name, "{name} holds the backup {}", manifest.name);
        ensure!(manifest.form == 1, "{name} was made by a newer version of Kilele");
        Ok(Some(manifest))
    }

    /// Writes it, and with that the backup is whole.
    pub async fn finish(&self, crypto: &Crypto, manifest: &Manifest) -> Result<u64> {
        let text = signed(crypto, &serde_json::to_string(manifest)?);
        let length = text.len() as u64;
        self.shelf.put(&format!("{}/manifest", manifest.name), text.into_bytes().into()).await?;
        Ok(length)
    }

    /// Every object that a backup names; the list is brought to `here` first.
    pub async fn list(&self, manifest: &Manifest, here: &Path) -> Result<impl Iterator<Item = Result<Object>> + use<>> {
        spool::fetch(&self.shelf, &format!("{}/objects", manifest.name), &manifest.objects, here).await?;
        lines(here)
    }

    /// Bytes of a stored object as they are, opened if they are sealed.
    pub async fn object(&self, object: &Object, sealed: bool, identities: &[Identity]) -> Result<bytes::Bytes> {
        let bytes = self.shelf.get(&object.key(sealed)).await?;
        if !sealed {
            return Ok(bytes);
        }
        let mut clear = Vec::with_capacity(bytes.len());
        std::io::Read::read_to_end(&mut super::age::Opener::new(&bytes[..], identities)?, &mut clear)?;
        Ok(clear.into())
    }
}

/// The objects that a list names, one after the other.
pub fn lines(list: &Path) -> Result<impl Iterator<Item = Result<Object>> + use<>> {
    let lines = std::io::BufReader::new(spool::open(list, false, &[])?).lines();
    Ok(lines.map(|line| Object::parse(&line?).context("a line of the objects is damaged")))
}

/// A new backup's name: its moment, and chance, so that two at once are two.
pub fn name(now: Millis) -> Result<String> {
    let at = chrono::DateTime::from_timestamp_millis(now).context("the clock is out of range")?;
    Ok(format!("{}-{}", at.format(MOMENT), hex(&random::<3>())))
}

/// The moment in a name.
pub fn when(name: &str) -> Option<Millis> {
    let (moment, _) = name.split_once('-')?;
    Some(chrono::NaiveDateTime::parse_from_str(moment, MOMENT).ok()?.and_utc().timestamp_millis())
}

/// Deterministic: the signature of the same text is the same.
fn signed(crypto: &Crypto, body: &str) -> String {
    format!("{body}\n{}\n", b64(&crypto.sign(format!("kilele-backup|{body}").as_bytes())))
}
