//! Resumable uploads: nothing is lost at any cut, and nothing but the announced bytes is taken.

use kilele_tests::{TestApp, both, pictures};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Sends a PATCH whose body is cut after `sent` bytes, on a raw connection.
async fn cut(app: &TestApp, token: &str, location: &str, offset: usize, body: &[u8], sent: usize) {
    let address = app.url.trim_start_matches("http://");
    let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
    let head = format!(
        "PATCH {location} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ntus-resumable: 1.0.0\r\n\
         upload-offset: {offset}\r\ncontent-type: application/offset+octet-stream\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(&body[..sent]).await.unwrap();
    connection.flush().await.unwrap();
    connection.shutdown().await.unwrap();
    // The server notices the end; whatever it says is of no interest.
    drop(connection.read_to_end(&mut Vec::new()).await);
}

both! {
    async fn the_server_says_what_it_speaks(app: TestApp) {
        let answer = kilele_tests::Answer::of(app.client.request(reqwest::Method::OPTIONS, format!("{}/api/uploads", app.url))).await;
        assert_eq!(answer.status, 204);
        assert_eq!((answer.header("tus-version"), answer.header("tus-extension")), ("1.0.0", "creation,termination"));
        assert_eq!(answer.header("tus-max-size"), "26214400");
    }

    async fn a_photo_arrives_and_three_sizes_are_served(app: TestApp) {
        let (mentor, supervisor) = (app.mentor().await, app.supervisor().await);
        let visit = mentor.submit(&mentor.a_household().await).await;
        let evidence = visit.captures[0]["id"].as_str().unwrap().to_owned();
        supervisor.get(&format!("/api/media/{evidence}/card")).await.refused(409, "not_ready");
        assert_eq!(mentor.upload(&visit.captures[0], &visit.photos[0]).await.status, 204);
        let record = mentor.settled(&evidence).await;
        assert_eq!((record["state"].as_str(), record["width"].as_i64()), (Some("ready"), Some(640)));
        for (size, side) in [("thumb", 160), ("card", 480), ("full", 640)] {
            let path = format!("/api/media/{evidence}/{size}");
            let picture = supervisor.get(&path).await;
            assert_eq!((picture.status.as_u16(), picture.header("content-type")), (200, "image/jpeg"));
            assert_eq!(picture.header("cache-control"), "private, max-age=31536000, immutable");
            assert_eq!(picture.header("x-content-type-options"), "nosniff");
            let seen = kilele_media::inspect(&picture.bytes).unwrap();
            assert_eq!(seen.width.max(seen.height), side);
            let known = supervisor.request(reqwest::Method::GET, &path).header("if-none-match", picture.header("etag"));
            assert_eq!(kilele_tests::Answer::of(known).await.status, 304);
        }
        app.other_mentor().await.get(&format!("/api/media/{evidence}/thumb")).await.refused(404, "not_found");
        app.get(&format!("/api/media/{evidence}/thumb")).await.refused(401, "not_signed_in");
    }

    async fn an_upload_goes_on_after_a_cut_at_any_byte(app: TestApp) {
        let mentor = app.mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        let (capture, photo) = (&visit.captures[0], &visit.photos[0]);
        let location = mentor.create_upload(capture).await.header("location").to_owned();
        let mut offset = 0;
        // Cuts at the first byte, before the last, and in between.
        for sent in [0, 1, 7, 1000, photo.len() / 2] {
            cut(&app, &mentor.token, &location, offset, &photo[offset..], sent).await;
            let stands = kilele_tests::until("the cut to be noticed", async || {
                let head = mentor.head(&location).await;
                let stands: usize = head.header("upload-offset").parse().unwrap();
                (stands == offset + sent).then_some(stands)
            }).await;
            offset = stands;
        }
        mentor.patch(&location, 0, photo.clone()).await.refused(409, "offset_mismatch");
        let done = mentor.patch(&location, offset, photo[offset..].to_vec()).await;
        assert_eq!((done.status.as_u16(), done.header("upload-offset")), (204, &*photo.len().to_string()));
        assert_eq!(mentor.settled(capture["id"].as_str().unwrap()).await["state"], "ready");
    }

    async fn an_upload_that_broke_after_its_last_byte_is_finished_by_looking(app: TestApp) {
        let mentor = app.mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        let location = mentor.create_upload(&visit.captures[0]).await.header("location").to_owned();
        let upload = location.rsplit('/').next().unwrap().to_owned();
        // What a kill right after the last byte leaves behind.
        app.app.store.put_chunk(&upload, 0, visit.photos[0].clone().into()).await.unwrap();
        let (id, length): (kilele_tests::Uuid, i64) = (upload.parse().unwrap(), visit.photos[0].len() as i64);
        let update = "UPDATE upload SET received = $2 WHERE id = $1";
        app.app.db.write(move |tx| Box::pin(tx.query(update).bind(id).bind(length).run())).await.unwrap();
        assert_eq!(mentor.head(&location).await.header("upload-offset"), length.to_string());
        assert_eq!(mentor.settled(visit.captures[0]["id"].as_str().unwrap()).await["state"], "ready");
    }

    async fn only_the_announced_bytes_are_taken(app: TestApp) {
        let mentor = app.mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        let (capture, photo) = (&visit.captures[0], &visit.photos[0]);
        let mut wrong = capture.clone();
        wrong["bytes"] = json!(photo.len() + 1);
        mentor.create_upload(&wrong).await.refused(400, "length_mismatch");
        wrong["bytes"] = json!(26 << 20);
        mentor.create_upload(&wrong).await.refused(413, "too_large");
        mentor.create_upload(&pictures::capture(photo, "front")).await.refused(404, "evidence_unknown");
        app.other_mentor().await.create_upload(capture).await.refused(404, "evidence_unknown");
        let location = mentor.create_upload(capture).await.header("location").to_owned();
        assert_eq!(app.other_mentor().await.head(&location).await.status, 404);
        let mut more = photo.clone();
        more.push(0);
        mentor.patch(&location, 0, more).await.refused(413, "too_large");
        let mut other = photo.clone();
        other[100] ^= 1;
        mentor.patch(&location, 0, other).await.refused(460, "checksum_mismatch");
        assert_eq!(mentor.head(&location).await.status, 404, "the wrong bytes are gone");
        assert_eq!(mentor.record("evidence", capture["id"].as_str().unwrap()).await.unwrap()["state"], "announced");
        assert_eq!(mentor.upload(capture, photo).await.status, 204);
    }

    async fn the_same_bytes_again_are_recognised(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        let (first, second) = (mentor.submit(&household).await, mentor.submit(&household).await);
        mentor.upload(&first.captures[0], &first.photos[0]).await;
        let created = mentor.create_upload(&second.captures[0]).await;
        assert_eq!(created.header("upload-offset"), first.photos[0].len().to_string(), "nothing needs to be sent");
        assert_eq!(mentor.settled(second.captures[0]["id"].as_str().unwrap()).await["state"], "ready");
    }

    async fn an_upload_can_be_ended_and_expires(app: TestApp) {
        let mentor = app.mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        let location = mentor.create_upload(&visit.captures[0]).await.header("location").to_owned();
        let ended = kilele_tests::Answer::of(mentor.request(reqwest::Method::DELETE, &location).header("tus-resumable", "1.0.0")).await;
        assert_eq!(ended.status, 204);
        assert_eq!(mentor.head(&location).await.status, 404);
        let location = mentor.create_upload(&visit.captures[0]).await.header("location").to_owned();
        app.clock.shift(8 * kilele::clock::DAY);
        let mentor = app.mentor().await;
        assert_eq!(mentor.head(&location).await.status, 410);
        let old = mentor.request(reqwest::Method::HEAD, &location).header("tus-resumable", "0.2.2");
        assert_eq!(kilele_tests::Answer::of(old).await.status, 412);
    }

    async fn what_is_no_picture_is_quarantined_and_the_visit_stays(app: TestApp) {
        let mentor = app.mentor().await;
        let household = mentor.a_household().await;
        let whole = pictures::photo(9);
        let bomb = bomb();
        let cases: [(&str, Vec<u8>); 3] =
            [("not_a_picture", b"MZ this is a program, not a picture".to_vec()), ("truncated", whole[..whole.len() / 2].to_vec()), ("bomb", bomb)];
        for (reason, bytes) in cases {
            let mut visit = mentor.visit(&household);
            let capture = pictures::capture(&bytes, "front");
            visit.body["evidence"][0] = capture.clone();
            mentor.command("visit.submit", visit.body).await.ok();
            assert_eq!(mentor.upload(&capture, &bytes).await.status, 204, "the bytes are what was announced");
            let id = capture["id"].as_str().unwrap();
            let record = mentor.settled(id).await;
            assert_eq!((record["state"].as_str(), record["reason"].as_str()), (Some("quarantined"), Some(reason)));
            mentor.get(&format!("/api/media/{id}/full")).await.refused(404, "quarantined");
            assert_eq!(mentor.get(&format!("/api/visits/{}", visit.id)).await.ok()["state"], "submitted");
            let told = mentor.records("inbox").await;
            assert!(told.iter().any(|i| i["kind"] == "evidence_quarantined" && i["params"]["reason"] == reason));
        }
    }
}

/// A PNG that says it has 50,000 × 50,000 pixels, in a hundred bytes.
fn bomb() -> Vec<u8> {
    let chunk = |kind: &[u8], data: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(data);
        [&(data.len() as u32).to_be_bytes(), kind, data, &crc.sum().to_be_bytes()].concat()
    };
    let side = 50_000_u32.to_be_bytes();
    let header = [&side[..], &side, &[8, 2, 0, 0, 0]].concat();
    [
        &b"\x89PNG\r\n\x1a\n"[..],
        &chunk(b"IHDR", &header),
        &chunk(b"IDAT", &[120, 156, 3, 0, 0, 0, 0, 1]),
        &chunk(b"IEND", &[]),
    ]
    .concat()
}
