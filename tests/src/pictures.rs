//! Pictures for tests: drawn at test time, nobody's photograph.

use kilele::crypto::{hex, sha256};
use kilele_media::drawn;
use serde_json::{Value, json};

use crate::id;

/// A drawn scene as JPEG bytes; the same seed draws the same.
pub fn photo(seed: u64) -> Vec<u8> {
    drawn::jpeg(&drawn::scene(seed), 640, 480).expect("the drawing renders")
}

/// What a phone announces of these bytes.
pub fn capture(bytes: &[u8], slot: &str) -> Value {
    json!({
        "id": id(), "slot": slot, "mime": "image/jpeg", "bytes": bytes.len(), "sha256": hex(&sha256(bytes)),
        "width": 640, "height": 480, "captured_at": 1_790_000_000_000_i64,
    })
}
