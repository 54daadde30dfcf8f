//! Bytes go in and come out, on a folder and in memory.

use std::path::PathBuf;

use bytes::Bytes;
use futures_util::TryStreamExt;
use kilele_media::{Chunk, Store, StoreError, Variant};

const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// Removes its folder when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("kilele-media-{}-{name}", std::process::id()));
        Self(path)
    }

    fn store(&self) -> Store {
        Store::open(&format!("file://{}", self.0.display())).expect("a folder store")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn on_both<F: AsyncFn(Store)>(name: &str, story: F) {
    story(Store::open("memory:").expect("a memory store")).await;
    let folder = Folder::new(name);
    story(folder.store()).await;
}

async fn joined(store: &Store, upload: &str) -> Result<Vec<u8>, StoreError> {
    let parts: Vec<Bytes> = store.read_chunks(upload).await?.try_collect().await?;
    Ok(parts.concat())
}

#[tokio::test]
async fn what_is_put_can_be_read() {
    on_both("read", async |store| {
        let bytes = Bytes::from_static(b"a picture");
        assert!(!store.exists("org", HASH, Variant::Full).await.expect("an answer"));
        assert!(matches!(store.get("org", HASH, Variant::Full).await, Err(StoreError::NotFound)));
        store.put("org", HASH, Variant::Full, bytes.clone()).await.expect("put");
        store.put("org", HASH, Variant::Full, bytes.clone()).await.expect("put again");
        assert_eq!(store.get("org", HASH, Variant::Full).await.expect("get"), bytes);
        assert_eq!(store.head("org", HASH, Variant::Full).await.expect("head"), 9);
        let (length, stream) = store.open_stream("org", HASH, Variant::Full).await.expect("stream");
        let read: Vec<Bytes> = stream.try_collect().await.expect("read");
        assert_eq!((length, read.concat()), (9, bytes.to_vec()));
        assert!(!store.exists("org", HASH, Variant::Thumb).await.expect("an answer"));
        assert!(!store.exists("other", HASH, Variant::Full).await.expect("an answer"));
        store.delete("org", HASH, Variant::Full).await.expect("delete");
        store.delete("org", HASH, Variant::Full).await.expect("delete again");
        assert!(!store.exists("org", HASH, Variant::Full).await.expect("an answer"));
    })
    .await;
}

#[tokio::test]
async fn chunks_are_joined_in_order_of_offset() {
    on_both("chunks", async |store| {
        assert_eq!(store.chunks("u1").await.expect("none"), []);
        assert_eq!(joined(&store, "u1").await.expect("empty"), b"");
        store.put_chunk("u1", 10, Bytes::from_static(b"world")).await.expect("put");
        store.put_chunk("u1", 0, Bytes::from_static(b"hello")).await.expect("put");
        assert!(matches!(joined(&store, "u1").await, Err(StoreError::Gap(5))));
        store.put_chunk("u1", 5, Bytes::from_static(b", the")).await.expect("put");
        store.put_chunk("u10", 0, Bytes::from_static(b"another upload")).await.expect("put");
        let expected = [(0, 5), (5, 5), (10, 5)].map(|(offset, length)| Chunk { offset, length });
        assert_eq!(store.chunks("u1").await.expect("three"), expected);
        assert_eq!(joined(&store, "u1").await.expect("joined"), b"hello, theworld");
        // Sent again after a lost answer, and longer.
        store.put_chunk("u1", 0, Bytes::from_static(b"hello, t")).await.expect("put");
        assert_eq!(joined(&store, "u1").await.expect("joined"), b"hello, theworld");
        store.drop_chunks("u1").await.expect("dropped");
        store.drop_chunks("u1").await.expect("dropped again");
        assert_eq!(store.chunks("u1").await.expect("none"), []);
        assert_eq!(joined(&store, "u10").await.expect("still there"), b"another upload");
    })
    .await;
}

#[tokio::test]
async fn another_copy_of_the_server_goes_on_with_an_upload() {
    let folder = Folder::new("copies");
    folder.store().put_chunk("u", 0, Bytes::from_static(b"first ")).await.expect("put");
    folder.store().put_chunk("u", 6, Bytes::from_static(b"second")).await.expect("put");
    assert_eq!(joined(&folder.store(), "u").await.expect("joined"), b"first second");
}

#[tokio::test]
async fn names_cannot_leave_the_store() {
    on_both("names", async |store| {
        let bytes = Bytes::from_static(b"x");
        for bad in ["", "abc", &HASH.to_uppercase(), &format!("../{}", &HASH[3..])] {
            assert!(matches!(store.put("org", bad, Variant::Full, bytes.clone()).await, Err(StoreError::BadName)), "{bad}");
        }
        assert!(matches!(store.put_chunk("", 0, bytes.clone()).await, Err(StoreError::BadName)));
        store.put_chunk("../../escaped", 0, bytes.clone()).await.expect("put");
        store.put("../org", HASH, Variant::Full, bytes.clone()).await.expect("put");
        assert_eq!(joined(&store, "../../escaped").await.expect("joined"), b"x");
    })
    .await;
    assert!(!std::env::temp_dir().join("escaped").exists());
}

#[tokio::test]
async fn the_canary_sings_and_leaves_nothing() {
    on_both("canary", async |store| store.canary().await.expect("a song")).await;
    let folder = Folder::new("gone");
    let store = folder.store();
    store.canary().await.expect("a song");
    assert_eq!(std::fs::read_dir(&folder.0).expect("the folder").count(), 0);
    std::fs::remove_dir_all(&folder.0).expect("removed");
    std::fs::write(&folder.0, b"a file in its place").expect("written");
    assert!(matches!(store.canary().await, Err(StoreError::Unavailable(_))));
    std::fs::remove_file(&folder.0).expect("removed");
}

#[test]
fn addresses() {
    for bad in ["", "ftp://x", "file://", "s3://", "/data/media"] {
        assert!(matches!(Store::open(bad), Err(StoreError::BadUrl(_))), "{bad}");
    }
}
