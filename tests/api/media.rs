//! What is stored and served is clean.

use kilele_tests::{Answer, TestApp, both, pictures};
use reqwest::Method;
use serde_json::{Value, json};

/// A sealed JSON text: what is opened stands as in a string.
fn opened(text: &str) -> Value {
    let text: String = serde_json::from_str(&format!("\"{text}\"")).unwrap();
    serde_json::from_str(&text).unwrap()
}

both! {
    async fn a_picture_is_served_as_browsers_ask_for_it(app: TestApp) {
        let mentor = app.mentor().await;
        let photo = pictures::photo(6);
        let capture = mentor.announce(&photo).await;
        mentor.upload(&capture, &photo).await;
        let id = capture["id"].as_str().unwrap();
        mentor.settled(id).await;
        let path = format!("/api/media/{id}/card");
        let whole = mentor.get(&path).await;
        let (length, etag) = (whole.bytes.len(), whole.header("etag").to_owned());
        let ask = |method: Method, headers: &[(&'static str, &str)]| {
            let request = headers.iter().fold(mentor.request(method, &path), |request, (name, value)| request.header(*name, *value));
            Answer::of(request)
        };
        for answer in [&whole, &ask(Method::HEAD, &[]).await] {
            assert_eq!((answer.status.as_u16(), answer.header("content-length")), (200, &*length.to_string()));
            assert_eq!((answer.header("content-type"), answer.header("accept-ranges")), ("image/jpeg", "bytes"));
            assert_eq!(answer.header("cache-control"), "private, max-age=31536000, immutable");
            assert_eq!((answer.header("x-content-type-options"), answer.header("content-disposition")), ("nosniff", "inline"));
            assert_eq!(answer.header("etag"), etag);
        }
        assert!(ask(Method::HEAD, &[]).await.bytes.is_empty());
        let last = length - 1;
        let ranges = [("bytes=0-9", 0, 9), ("bytes=10-", 10, last), ("bytes=-7", length - 7, last), ("bytes=100-99999999", 100, last)];
        for (range, first, end) in ranges {
            let part = ask(Method::GET, &[("range", range)]).await;
            assert_eq!((part.status.as_u16(), part.header("content-range")), (206, &*format!("bytes {first}-{end}/{length}")));
            assert_eq!(part.bytes, whole.bytes[first..=end]);
            assert_eq!(part.header("content-length"), (end + 1 - first).to_string());
        }
        let beyond = ask(Method::GET, &[("range", &format!("bytes={length}-"))]).await;
        assert_eq!((beyond.status.as_u16(), beyond.header("content-range")), (416, &*format!("bytes */{length}")));
        for ignored in ["bytes=0-1,5-6", "lines=1-2", "bytes=9-3"] {
            assert_eq!(ask(Method::GET, &[("range", ignored)]).await.status, 200, "{ignored}");
        }
        assert_eq!(ask(Method::GET, &[("range", "bytes=0-9"), ("if-range", &etag)]).await.status, 206);
        assert_eq!(ask(Method::GET, &[("range", "bytes=0-9"), ("if-range", "\"other\"")]).await.status, 200);
        for known in [&*etag, "*", &format!("\"x\", W/{etag}")] {
            let same = ask(Method::GET, &[("if-none-match", known), ("range", "bytes=0-9")]).await;
            assert_eq!((same.status.as_u16(), same.bytes.len(), same.header("etag")), (304, 0, &*etag), "{known}");
        }
        assert_eq!(ask(Method::GET, &[("if-none-match", "\"x\"")]).await.status, 200);
        let other = app.other_mentor().await;
        for method in [Method::GET, Method::HEAD] {
            assert_eq!(Answer::of(other.request(method.clone(), &path)).await.status, 404);
            assert_eq!(Answer::of(app.client.request(method, format!("{}{path}", app.url))).await.status, 401);
        }
    }


    async fn a_list_shows_something_before_any_picture_has_come(app: TestApp) {
        let mentor = app.mentor().await;
        let photo = pictures::photo(8);
        let (id, capture) = (kilele_tests::id(), pictures::capture(&photo, "front"));
        let household = json!({ "id": id, "place": mentor.session["member"]["places"][0], "head_name": "Zawadi Chebet", "members": [] });
        mentor.command("household.register", json!({ "household": household, "evidence": [capture] })).await.ok();
        let before = mentor.get("/api/households?q=zawadi").await.ok();
        assert_eq!((&before["items"][0]["photo"], before["items"][0]["photo_placeholder"].as_str()), (&capture["id"], None));
        mentor.upload(&capture, &photo).await;
        let evidence = mentor.settled(capture["id"].as_str().unwrap()).await;
        let placeholder = evidence["placeholder"].as_str().unwrap();
        assert!((20..=40).contains(&placeholder.len()), "a few bytes in each record: {placeholder}");
        let listed = mentor.get("/api/households?q=zawadi").await.ok();
        assert_eq!(listed["items"][0]["photo_placeholder"], placeholder);
        assert_eq!(mentor.record("household", &id).await.unwrap()["photo_placeholder"], placeholder, "and on the phone");
    }

    async fn metadata_of_a_photo_is_stripped_from_every_size(app: TestApp) {
        let mentor = app.mentor().await;
        let plain = pictures::photo(5);
        // An EXIF segment with a place in it, behind the start marker.
        let secret = b"Exif\0\0SECRET-GPS-0.2841S-36.0712E";
        let mut photo = plain[..2].to_vec();
        photo.extend([0xff, 0xe1]);
        photo.extend((secret.len() as u16 + 2).to_be_bytes());
        photo.extend(secret);
        photo.extend(&plain[2..]);
        let mut visit = mentor.visit(&mentor.a_household().await);
        let capture = pictures::capture(&photo, "front");
        visit.body["evidence"][0] = capture.clone();
        mentor.command("visit.submit", visit.body).await.ok();
        mentor.upload(&capture, &photo).await;
        let id = capture["id"].as_str().unwrap();
        assert_eq!(mentor.settled(id).await["state"], "ready");
        for size in ["thumb", "card", "full"] {
            let bytes = mentor.get(&format!("/api/media/{id}/{size}")).await.bytes;
            assert!(!bytes.windows(6).any(|w| w == b"SECRET"), "{size}");
        }
        mentor.get(&format!("/api/media/{id}/original")).await.refused(400, "bad_request");
    }

    async fn a_photo_shown_again_is_pointed_out_and_nothing_more(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        let photo = pictures::photo(9);
        let mut seen: Vec<Value> = Vec::new();
        // The same photo for two visits, made smaller the second time; then another scene.
        let again = kilele_media::derive(&photo, &kilele_media::Limits::default()).unwrap().card;
        for bytes in [photo, again, pictures::photo(23)] {
            let mut visit = mentor.visit(&household);
            let capture = pictures::capture(&bytes, "front");
            visit.body["evidence"][0] = capture.clone();
            mentor.command("visit.submit", visit.body).await.ok();
            mentor.upload(&capture, &bytes).await;
            seen.push(mentor.settled(capture["id"].as_str().unwrap()).await);
        }
        assert!(seen.iter().all(|one| one["state"] == "ready"));
        assert_eq!((&seen[0]["looks_like"], &seen[2]["looks_like"]), (&Value::Null, &Value::Null));
        let hint = &seen[1]["looks_like"];
        assert_eq!((&hint["evidence"], &hint["household"]), (&seen[0]["id"], &household["id"]));
        assert_eq!(hint["captured_at"], seen[0]["captured_at"]);
        assert!(hint["bits"].as_i64().unwrap() <= 6);
        // Whoever decides sees it too.
        let supervisor = app.supervisor().await;
        let id = seen[1]["id"].as_str().unwrap();
        assert_eq!(supervisor.record("evidence", id).await.unwrap()["looks_like"], *hint);
    }

    async fn what_the_camera_says_is_kept_and_sealed(app: TestApp) {
        let mentor = app.mentor().await;
        let photo = pictures::with_place(&pictures::photo(5));
        let mut visit = mentor.visit(&mentor.a_household().await);
        let capture = pictures::capture(&photo, "front");
        visit.body["evidence"][0] = capture.clone();
        mentor.command("visit.submit", visit.body).await.ok();
        mentor.upload(&capture, &photo).await;
        let id = capture["id"].as_str().unwrap();
        let record = mentor.settled(id).await;
        assert!(record.get("exif").is_none());
        let rows: Vec<(Option<String>,)> = app.app.db.query("SELECT exif FROM evidence WHERE exif IS NOT NULL").all().await.unwrap();
        let stored = rows[0].0.as_deref().unwrap();
        assert!(!stored.contains("lat"), "{stored}");
        let said: Value = opened(&app.app.crypto.open_text(stored));
        assert!((said["lat"].as_f64().unwrap() + 1.29).abs() < 1e-6, "{said}");
    }
}
