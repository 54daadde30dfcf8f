//! Files of a backup on their way: packed, sealed if there are recipients, and hashed as they will lie there.

use std::fs;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use aws_lc_rs::digest;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures_util::TryStreamExt;
use kilele_media::Shelf;

use super::File;
use super::age::{Identity, Opener, Recipient, Sealer};
use crate::crypto::hex;

/// A folder that is gone when this is.
pub struct Scratch(PathBuf);

impl Scratch {
    pub fn make(data_dir: &Path) -> Result<Self> {
        let path = data_dir.join("scratch").join(crate::clock::new_id().to_string());
        // Rows of a backup hold what the database holds: nobody else on this machine reads them.
        crate::config::make_folder(&path)?;
        Ok(Self(path))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Counts and hashes what goes through.
struct Hashed<W> {
    to: W,
    hash: digest::Context,
    bytes: u64,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let some = self.to.write(bytes)?;
        self.hash.update(&bytes[..some]);
        self.bytes += some as u64;
        Ok(some)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

type Disk = Hashed<BufWriter<fs::File>>;

enum Out {
    Clear(Disk),
    Sealed(Box<Sealer<Disk>>),
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Clear(disk) => disk.write(bytes),
            Self::Sealed(sealer) => sealer.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that is being written.
pub struct Spool(GzEncoder<Out>);

impl Spool {
    pub fn create(path: &Path, recipients: &[Recipient]) -> Result<Self> {
        let file = fs::File::create(path).with_context(|| path.display().to_string())?;
        let disk = Hashed { to: BufWriter::new(file), hash: digest::Context::new(&digest::SHA256), bytes: 0 };
        let out = match recipients {
            [] => Out::Clear(disk),
            some => Out::Sealed(Box::new(Sealer::new(disk, some)?)),
        };
        Ok(Self(GzEncoder::new(out, Compression::fast())))
    }

    pub fn finish(self) -> Result<File> {
        let mut disk = match self.0.finish()? {
            Out::Clear(disk) => disk,
            Out::Sealed(sealer) => sealer.finish()?,
        };
        disk.flush()?;
        Ok(File { bytes: disk.bytes, sha256: hex(disk.hash.finish().as_ref()) })
    }
}

impl Write for Spool {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Brings a file of a backup here and compares it with what the manifest says.
pub async fn fetch(shelf: &Shelf, name: &str, file: &File, to: &Path) -> Result<()> {
    let mut stream = shelf.read(name).await.with_context(|| name.to_owned())?;
    let disk = fs::File::create(to).with_context(|| to.display().to_string())?;
    let mut disk = Hashed { to: BufWriter::new(disk), hash: digest::Context::new(&digest::SHA256), bytes: 0 };
    while let Some(bytes) = stream.try_next().await? {
        disk.write_all(&bytes)?;
    }
    disk.flush()?;
    let fits = disk.bytes == file.bytes && hex(disk.hash.finish().as_ref()) == file.sha256;
    ensure!(fits, "{name} is not as it was written");
    Ok(())
}

/// Reads what [`Spool`] wrote.
pub fn open(path: &Path, sealed: bool, identities: &[Identity]) -> Result<Box<dyn Read + Send>> {
    let file = BufReader::new(fs::File::open(path).with_context(|| path.display().to_string())?);
    Ok(if sealed {
        ensure!(!identities.is_empty(), "this backup is sealed: name the file with the secret of age (--identity FILE)");
        Box::new(BufReader::new(GzDecoder::new(Opener::new(file, identities)?)))
    } else {
        Box::new(BufReader::new(GzDecoder::new(file)))
    })
}
