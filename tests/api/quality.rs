//! How complete the register is, as a figure for each village and mentor, and the households behind it.

use kilele_tests::{Person, TestApp, both, id};
use serde_json::{Value, json};

async fn quality(by: &Person) -> Value {
    by.get("/api/figures/quality").await.ok()
}

fn missing(of: &Value, gap: &str) -> i64 {
    of["gaps"].as_array().unwrap().iter().find(|one| one["gap"] == gap).unwrap()["households"].as_i64().unwrap()
}

both! {
    async fn what_is_not_known_lowers_the_figure_and_can_be_looked_at(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let village = mentor.a_household().await["place"].clone();
        let before = quality(&supervisor).await;
        let bare = id();
        let household = json!({ "id": bare, "place": village, "head_name": "Aaa Bare" });
        mentor.command("household.register", json!({ "household": household, "evidence": [] })).await.ok();
        let after = quality(&supervisor).await;
        for gap in ["national_id", "phone", "members", "position", "head"] {
            assert_eq!(missing(&after["all"], gap), missing(&before["all"], gap) + 1, "{gap}");
        }
        assert!(after["all"]["score"].as_i64() < before["all"]["score"].as_i64());
        let own = after["villages"].as_array().unwrap().iter().find(|one| one["id"] == village).unwrap();
        let lost: i64 = [("national_id", 3), ("phone", 2), ("members", 3), ("position", 2), ("head", 2)].iter().map(|(gap, weight)| missing(own, gap) * weight).sum();
        let total = own["households"].as_i64().unwrap();
        assert_eq!(own["score"].as_i64(), Some((100 - (100 * lost + total / 2) / total).max(0)));
        assert!(after["mentors"].as_array().unwrap().iter().any(|one| one["id"] == mentor.member().as_str()));
        // The rows behind it, within one's places.
        let rows = async |by: &Person, more: &str| {
            by.get(&format!("/api/figures/quality/households?gap=national_id{more}")).await.ok().to_string()
        };
        assert!(rows(&supervisor, &format!("&place={}", village.as_str().unwrap())).await.contains(&bare));
        assert!(rows(&supervisor, &format!("&mentor={}", mentor.member())).await.contains(&bare));
        assert!(rows(&mentor, "").await.contains(&bare));
        assert!(!rows(&app.other_mentor().await, "").await.contains(&bare));
        mentor.get("/api/figures/quality").await.refused(403, "forbidden");
        // Mended, it is gone from them.
        let change = json!({ "id": bare, "changes": { "national_id": { "was": null, "now": "87654321" } } });
        mentor.command("household.update", change).await.ok();
        assert!(!rows(&mentor, "").await.contains(&bare));
    }
}
