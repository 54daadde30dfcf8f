//! Bytes go in and come out, on a folder and in memory.

use std::path::PathBuf;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use kilele_media::{Found, Piece, Store, StoreError, Variant};

/// Of `test`; it stands for any hash where nobody compares it.
const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// Removes its folder when the test ends.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("kilele-media-{}-{name}", std::process::id()));
        Self(path)
    }

    fn store(&self) -> Store {
        Store::open(&format!("file://{}", self.0.display()), &[]).expect("a folder store")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn on_both<F: AsyncFn(Store)>(name: &str, story: F) {
    story(Store::open("memory:", &[]).expect("a memory store")).await;
    let folder = Folder::new(name);
    story(folder.store()).await;
}

async fn joined(store: &Store, upload: &str, pieces: &[Piece]) -> Result<Vec<u8>, StoreError> {
    let parts: Vec<Bytes> = store.read_pieces(upload, pieces)?.try_collect().await?;
    Ok(parts.concat())
}

async fn put(store: &Store, upload: &str, offset: u64, text: &'static str) -> Piece {
    store.put_piece(upload, offset, vec![Bytes::from_static(text.as_bytes())]).await.expect("put")
}

async fn everything(store: &Store) -> Vec<Found> {
    store.inventory().map_ok(|object| object.what).try_collect().await.expect("an inventory")
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
async fn pieces_are_joined_and_only_the_remembered_ones() {
    on_both("pieces", async |store| {
        assert_eq!(joined(&store, "u1", &[]).await.expect("empty"), b"");
        let hello = put(&store, "u1", 0, "hello").await;
        let the = put(&store, "u1", 5, ", the").await;
        let world = put(&store, "u1", 10, "world").await;
        // The same place again, with other bytes: a doubled request that came too late.
        let late = put(&store, "u1", 5, "XXXXX").await;
        assert_ne!(late, the);
        let other = put(&store, "u10", 0, "another upload").await;
        let whole = [hello.clone(), the.clone(), world.clone()];
        assert_eq!(joined(&store, "u1", &whole).await.expect("joined"), b"hello, theworld");
        let text: Vec<String> = whole.iter().map(Piece::to_string).collect();
        let read: Vec<Piece> = text.iter().map(|t| t.parse().expect("a piece's name")).collect();
        assert_eq!(read, whole);
        assert!(matches!(joined(&store, "u1", &[hello.clone(), world.clone()]).await, Err(StoreError::Gap(5))));
        store.drop_pieces("u1", &[the.clone(), the]).await.expect("dropped, and again");
        assert!(matches!(joined(&store, "u1", &whole).await, Err(StoreError::Gap(5))));
        store.drop_upload("u1").await.expect("dropped");
        store.drop_upload("u1").await.expect("dropped again");
        assert_eq!(everything(&store).await, [Found::Piece { upload: "u10".into() }], "also the late one is gone");
        assert_eq!(joined(&store, "u10", &[other]).await.expect("still there"), b"another upload");
    })
    .await;
    for bad in ["", "1-2", "a-b-c", "../../x"] {
        assert!(bad.parse::<Piece>().is_err(), "{bad}");
    }
}

#[tokio::test]
async fn another_copy_of_the_server_goes_on_with_an_upload() {
    let folder = Folder::new("copies");
    let first = put(&folder.store(), "u", 0, "first ").await;
    let second = put(&folder.store(), "u", 6, "second").await;
    assert_eq!(joined(&folder.store(), "u", &[first, second]).await.expect("joined"), b"first second");
}

/// Twelve MiB and a bit, so that it takes several parts, in pieces that fit no part's size.
fn large() -> (Vec<Bytes>, u64, String) {
    use sha2::{Digest, Sha256};
    let pieces: Vec<Bytes> = (0..19_u8).map(|n| Bytes::from(vec![n; 700_001])).collect();
    let mut hash = Sha256::new();
    pieces.iter().for_each(|piece| hash.update(piece));
    let hash = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    (pieces.clone(), pieces.iter().map(|p| p.len() as u64).sum(), hash)
}

#[tokio::test]
async fn only_bytes_with_their_hash_are_stored() {
    on_both("verified", async |store| {
        let (pieces, length, hash) = large();
        let of = |pieces: &[Bytes]| stream::iter(pieces.to_vec()).map(Ok).boxed();
        let mut wrong = pieces.clone();
        wrong[18] = Bytes::from(vec![0; 700_001]);
        let mut longer = pieces.clone();
        longer.push(Bytes::from_static(b"x"));
        for (what, bytes) in [("other", &wrong[..]), ("short", &pieces[..18]), ("long", &longer), ("none", &[])] {
            let put = store.put_verified("org", &hash, Variant::Original, length, of(bytes)).await;
            assert!(matches!(put, Err(StoreError::Mismatch)), "{what}");
            assert!(!store.exists("org", &hash, Variant::Original).await.expect("an answer"), "{what}");
        }
        let broken = stream::iter(vec![Ok(pieces[0].clone()), Err(StoreError::Gap(7))]).boxed();
        let put = store.put_verified("org", &hash, Variant::Original, length, broken).await;
        assert!(matches!(put, Err(StoreError::Gap(7))));
        assert!(everything(&store).await.is_empty());
        store.put_verified("org", &hash, Variant::Original, length, of(&pieces)).await.expect("stored");
        assert_eq!(store.hash("org", &hash, Variant::Original).await.expect("read"), (length, hash.clone()));
        let middle = store.get_range("org", &hash, Variant::Original, 700_000..700_003).await.expect("some");
        assert_eq!(middle[..], [0, 1, 1]);
        let short = Bytes::from_static(b"test");
        store.put_verified("org", HASH, Variant::Original, 4, of(&[short])).await.expect("stored at once");
        assert_eq!(everything(&store).await.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn the_inventory_names_what_is_there() {
    on_both("inventory", async |store| {
        store.put("org", HASH, Variant::Card, Bytes::from_static(b"x")).await.expect("put");
        put(&store, "u", 0, "piece").await;
        let mut objects: Vec<_> = store.inventory().try_collect().await.expect("an inventory");
        objects.sort_by_key(|object| object.length);
        let picture = Found::Picture { org: "org".into(), sha256: HASH.into(), variant: Variant::Card };
        assert_eq!(
            objects.iter().map(|o| o.what.clone()).collect::<Vec<_>>(),
            [picture, Found::Piece { upload: "u".into() }]
        );
        assert!(objects.iter().all(|o| o.modified > 1_700_000_000_000));
        store.remove_object(&objects[0]).await.expect("removed");
        assert!(!store.exists("org", HASH, Variant::Card).await.expect("an answer"));
    })
    .await;
}

#[tokio::test]
async fn a_signed_address_names_the_bucket_as_told() {
    let options = |more: &[(&str, &str)]| -> Vec<(String, String)> {
        let keys = [("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_REGION", "af-south-1")];
        keys.iter().chain(more).map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    };
    let own = ("AWS_ENDPOINT_URL", "http://127.0.0.1:9000");
    let cases: [(&[(&str, &str)], &str); 3] = [
        (&[], "https://s3.af-south-1.amazonaws.com/bucket/prefix/org/"),
        (&[("AWS_VIRTUAL_HOSTED_STYLE_REQUEST", "true")], "https://bucket.s3.af-south-1.amazonaws.com/prefix/org/"),
        (&[own], "http://127.0.0.1:9000/bucket/prefix/org/"),
    ];
    for (more, begin) in cases {
        let store = Store::open("s3://bucket/prefix", &options(more)).expect("a bucket");
        let hour = std::time::Duration::from_secs(3600);
        let url = store.signed_url("org", HASH, Variant::Thumb, hour).await.expect("signed").expect("an address");
        assert!(url.starts_with(begin), "{url}");
        assert!(url.contains("X-Amz-Expires=300&"), "never longer than five minutes: {url}");
    }
    let memory = Store::open("memory:", &[]).expect("a memory store");
    assert_eq!(memory.signed_url("org", HASH, Variant::Thumb, std::time::Duration::from_secs(9)).await.expect("none"), None);
    let unknown = Store::open("s3://bucket", &[("AWS_NO_SUCH_THING".into(), "1".into())]);
    assert!(matches!(unknown, Err(StoreError::BadUrl(_))));
}

#[tokio::test]
async fn names_cannot_leave_the_store() {
    on_both("names", async |store| {
        let bytes = Bytes::from_static(b"x");
        for bad in ["", "abc", &HASH.to_uppercase(), &format!("../{}", &HASH[3..])] {
            assert!(matches!(store.put("org", bad, Variant::Full, bytes.clone()).await, Err(StoreError::BadName)), "{bad}");
        }
        assert!(matches!(store.put_piece("", 0, vec![bytes.clone()]).await, Err(StoreError::BadName)));
        let piece = store.put_piece("../../escaped", 0, vec![bytes.clone()]).await.expect("put");
        store.put("../org", HASH, Variant::Full, bytes.clone()).await.expect("put");
        assert_eq!(joined(&store, "../../escaped", &[piece]).await.expect("joined"), b"x");
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
        assert!(matches!(Store::open(bad, &[]), Err(StoreError::BadUrl(_))), "{bad}");
    }
}
