//! After a restoration from a backup the server may have gone on past a device's cursor without what that cursor has seen.
//! So every device begins anew, once: it is given a cursor for a feed that does not exist, named by the restoration.

use std::collections::HashMap;

use uuid::Uuid;

use crate::app::App;
use crate::clock::Millis;
use crate::db::Db;
use crate::error::Result;

/// Begins the name of such a cursor; the moment follows.
const RESTORED: u128 = 0x7265_7374_6f72_8000_8000 << 48;

/// The cursor of the last restoration; nothing when there was none.
pub async fn restored(db: &Db) -> Result<Option<Uuid>> {
    let at: Option<(String,)> = db.query("SELECT value FROM setting WHERE name = 'restored_at'").optional().await?;
    Ok(at.and_then(|(at,)| at.parse().ok()).map(cursor))
}

fn cursor(at: Millis) -> Uuid {
    Uuid::from_u128(RESTORED | u128::from(at.unsigned_abs()) & 0xffff_ffff_ffff)
}

/// Whether a device that knows feeds has not heard of the last restoration.
pub fn is_behind(app: &App, cursors: &HashMap<String, i64>) -> bool {
    app.restored.is_some_and(|restored| !cursors.is_empty() && !cursors.contains_key(&restored.to_string()))
}

/// Whether a cursor is one of these.
pub fn is_restored(cursor: &str) -> bool {
    cursor.parse::<Uuid>().is_ok_and(|id| id.as_u128() & !0xffff_ffff_ffff == RESTORED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_moment_has_a_cursor_of_its_own() {
        let (one, other) = (cursor(1_795_281_761_794), cursor(1_795_281_761_795));
        assert_ne!(one, other);
        assert!(is_restored(&one.to_string()) && is_restored(&other.to_string()));
        assert!(!is_restored(&crate::clock::new_id().to_string()));
    }
}
