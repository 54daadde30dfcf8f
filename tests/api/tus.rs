//! What the tus 1.0 specification demands, sentence by sentence. `docs/tus.md` names the test of each.

use kilele_tests::{Answer, Person, TestApp, Visit, both, pictures};
use reqwest::{Method, RequestBuilder};

/// A visit that waits for its photos, and the address of an upload for the first.
async fn started(mentor: &Person) -> (Visit, String) {
    let visit = mentor.submit(&mentor.a_household().await).await;
    let location = mentor.create_upload(&visit.captures[0]).await.header("location").to_owned();
    (visit, location)
}

fn checksum(algorithm: &'static aws_lc_rs::digest::Algorithm, name: &str, bytes: &[u8]) -> String {
    use base64::Engine;
    let value = base64::prelude::BASE64_STANDARD.encode(aws_lc_rs::digest::digest(algorithm, bytes));
    format!("{name} {value}")
}

fn sha1(bytes: &[u8]) -> String {
    checksum(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, "sha1", bytes)
}

fn sha256(bytes: &[u8]) -> String {
    checksum(&aws_lc_rs::digest::SHA256, "sha256", bytes)
}

async fn of(request: RequestBuilder) -> Answer {
    Answer::of(request).await
}

async fn stands_at(mentor: &Person, location: &str) -> usize {
    mentor.head(location).await.header("upload-offset").parse().unwrap()
}

async fn pieces(app: &TestApp) -> usize {
    use futures_util::TryStreamExt;
    let all: Vec<_> = app.app.store.inventory().try_collect().await.unwrap();
    all.iter().filter(|object| matches!(object.what, kilele_media::Found::Piece { .. })).count()
}

both! {
    async fn options_say_what_is_spoken(app: TestApp) {
        let url = format!("{}/api/uploads", app.url);
        for version in ["1.0.0", "0.2.2"] {
            // The version of the request is not looked at.
            let answer = of(app.client.request(Method::OPTIONS, &url).header("tus-resumable", version)).await;
            assert_eq!(answer.status, 204);
            assert_eq!(answer.header("tus-version"), "1.0.0");
            assert_eq!(answer.header("tus-extension"), "creation,creation-with-upload,checksum,expiration,termination");
            assert_eq!(answer.header("tus-max-size"), "26214400");
            assert_eq!(answer.header("tus-checksum-algorithm"), "sha1,sha256");
        }
    }

    async fn every_answer_names_the_version(app: TestApp) {
        let mentor = app.mentor().await;
        let (visit, location) = started(&mentor).await;
        let answers = [
            mentor.create_upload(&visit.captures[1]).await,
            mentor.head(&location).await,
            mentor.patch(&location, 0, vec![1]).await,
            mentor.patch(&location, 0, vec![1]).await,
            of(app.client.head(format!("{}{location}", app.url))).await,
            mentor.head(&format!("/api/uploads/{}", kilele_tests::id())).await,
            mentor.head("/api/uploads/nothing").await,
            of(mentor.tus(Method::DELETE, &location)).await,
        ];
        let statuses: Vec<u16> = answers.iter().map(|a| a.status.as_u16()).collect();
        assert_eq!(statuses, [201, 200, 204, 409, 401, 404, 400, 204]);
        assert!(answers.iter().all(|a| a.header("tus-resumable") == "1.0.0"));
    }

    async fn another_version_is_refused_before_anything_happens(app: TestApp) {
        let mentor = app.mentor().await;
        let (visit, location) = started(&mentor).await;
        for version in [Some("0.2.2"), Some("1.0"), Some(""), None] {
            for (method, path) in [(Method::POST, "/api/uploads"), (Method::PATCH, &*location), (Method::HEAD, &location), (Method::DELETE, &location)] {
                let mut request = mentor.request(method.clone(), path).header("upload-offset", "0").header("upload-length", "7");
                if let Some(version) = version {
                    request = request.header("tus-resumable", version);
                }
                if method == Method::PATCH {
                    request = request.header("content-type", "application/offset+octet-stream").body(visit.photos[0].clone());
                }
                let answer = of(request).await;
                assert_eq!((answer.status.as_u16(), answer.header("tus-version")), (412, "1.0.0"), "{method} {version:?}");
            }
        }
        assert_eq!(stands_at(&mentor, &location).await, 0, "nothing happened");
    }

    async fn the_method_may_be_overridden(app: TestApp) {
        let mentor = app.mentor().await;
        let (visit, location) = started(&mentor).await;
        let photo = &visit.photos[0];
        let patch = mentor.chunk(&location, 0, photo[..100].to_vec()).build().unwrap();
        let mut post = mentor.tus(Method::POST, &location).header("x-http-method-override", "PATCH").body(photo[..100].to_vec());
        for name in ["upload-offset", "content-type"] {
            post = post.header(name, patch.headers()[name].clone());
        }
        assert_eq!(of(post).await.header("upload-offset"), "100");
        let head = of(mentor.tus(Method::GET, &location).header("x-http-method-override", "HEAD")).await;
        assert_eq!((head.status.as_u16(), head.header("upload-offset")), (200, "100"));
        let ended = of(mentor.tus(Method::POST, &location).header("x-http-method-override", "DELETE")).await;
        assert_eq!(ended.status, 204);
        assert_eq!(mentor.head(&location).await.status, 404);
    }

    async fn head_tells_where_it_stands_and_is_not_cached(app: TestApp) {
        let mentor = app.mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        let (capture, photo) = (&visit.captures[0], &visit.photos[0]);
        let evidence = mentor.creation(capture).build().unwrap().headers()["upload-metadata"].to_str().unwrap().to_owned();
        let metadata = format!("filename cGhvdG8uanBn,{evidence},is_confidential");
        let creation = mentor.tus(Method::POST, "/api/uploads").header("upload-length", photo.len()).header("upload-metadata", &metadata);
        let location = of(creation).await.header("location").to_owned();
        mentor.patch(&location, 0, photo[..77].to_vec()).await;
        let head = mentor.head(&location).await;
        assert_eq!(head.status, 200);
        assert_eq!((head.header("upload-offset"), head.header("upload-length")), ("77", &*photo.len().to_string()));
        assert_eq!(head.header("cache-control"), "no-store");
        assert_eq!(head.header("upload-metadata"), metadata, "as it was given");
        // Finished, it still says so.
        mentor.patch(&location, 77, photo[77..].to_vec()).await;
        assert_eq!(stands_at(&mentor, &location).await, photo.len());
    }

    async fn what_is_not_there_has_no_offset(app: TestApp) {
        let mentor = app.mentor().await;
        let (_, location) = started(&mentor).await;
        let nowhere = format!("/api/uploads/{}", kilele_tests::id());
        let answers = [mentor.head(&nowhere).await, app.other_mentor().await.head(&location).await];
        for answer in answers {
            assert_eq!((answer.status.as_u16(), answer.header("upload-offset")), (404, ""));
        }
        mentor.patch(&nowhere, 0, vec![1]).await.refused(404, "not_found");
        of(mentor.tus(Method::DELETE, &nowhere)).await.refused(404, "not_found");
    }

    async fn a_chunk_says_its_type_and_offset(app: TestApp) {
        let mentor = app.mentor().await;
        let (visit, location) = started(&mentor).await;
        let photo = &visit.photos[0];
        for wrong in ["application/octet-stream", "image/jpeg", "application/json"] {
            let request = mentor.tus(Method::PATCH, &location).header("upload-offset", "0").header("content-type", wrong);
            of(request.body(photo.clone())).await.refused(415, "unsupported_media_type");
        }
        of(mentor.tus(Method::PATCH, &location).header("upload-offset", "0").body(photo.clone())).await.refused(415, "unsupported_media_type");
        mentor.patch(&location, 5, photo.clone()).await.refused(409, "offset_mismatch");
        for wrong in ["-1", "x", "1.5", ""] {
            let request = mentor.chunk(&location, 0, photo.clone()).build().unwrap();
            let mut headers = request.headers().clone();
            headers.insert("upload-offset", wrong.parse().unwrap());
            let answer = of(mentor.tus(Method::PATCH, &location).headers(headers).body(photo.clone())).await;
            assert_eq!(answer.status, 400, "{wrong}: {}", answer.body);
        }
        assert_eq!(stands_at(&mentor, &location).await, 0);
        let moved = mentor.patch(&location, 0, photo[..10].to_vec()).await;
        assert_eq!((moved.status.as_u16(), moved.header("upload-offset")), (204, "10"));
        // A large chunk that is refused is heard out, so that its sender sees the answer.
        mentor.patch(&location, 5, vec![0; 1 << 20]).await.refused(409, "offset_mismatch");
    }

    async fn nothing_beyond_the_length_is_taken(app: TestApp) {
        let mentor = app.mentor().await;
        let (visit, location) = started(&mentor).await;
        let photo = &visit.photos[0];
        mentor.patch(&location, 0, photo[..1000].to_vec()).await;
        mentor.patch(&location, 1000, photo.clone()).await.refused(413, "too_large");
        let stands = stands_at(&mentor, &location).await;
        assert_eq!(mentor.patch(&location, stands, photo[stands..].to_vec()).await.status, 204);
        mentor.patch(&location, photo.len(), vec![0]).await.refused(413, "too_large");
    }

    async fn a_creation_says_how_long_and_what(app: TestApp) {
        let mentor = app.mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        let headers = mentor.creation(&visit.captures[0]).build().unwrap().headers().clone();
        let with = |changes: &[(&'static str, Option<&str>)]| {
            let mut headers = headers.clone();
            for (name, value) in changes {
                headers.remove(*name);
                if let Some(value) = value {
                    headers.insert(*name, value.parse().unwrap());
                }
            }
            of(mentor.request(Method::POST, "/api/uploads").headers(headers))
        };
        with(&[("upload-length", None)]).await.refused(400, "length");
        with(&[("upload-length", Some("-5"))]).await.refused(400, "length");
        with(&[("upload-length", None), ("upload-defer-length", Some("1"))]).await.refused(400, "length_deferred");
        with(&[("upload-length", Some("26214401"))]).await.refused(413, "too_large");
        with(&[("upload-metadata", None)]).await.refused(400, "metadata");
        with(&[("upload-metadata", Some("evidence"))]).await.refused(400, "metadata");
        let metadata = headers["upload-metadata"].to_str().unwrap();
        for wrong in [format!("{metadata},{metadata}"), format!("{metadata},"), format!(",{metadata}"), format!("{metadata}, ,a")] {
            with(&[("upload-metadata", Some(&wrong))]).await.refused(400, "metadata");
        }
        let created = with(&[]).await;
        assert_eq!((created.status.as_u16(), created.header("upload-offset")), (201, "0"));
        assert!(created.header("location").starts_with("/api/uploads/"), "{}", created.header("location"));
        assert_eq!(pieces(&app).await, 0, "an upload without bytes takes no room in the storage");
    }

    async fn a_creation_may_bring_bytes(app: TestApp) {
        let mentor = app.mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        let (first, second) = (&visit.photos[0], &visit.photos[1]);
        let octets = "application/offset+octet-stream";
        let part = mentor.creation(&visit.captures[0]).header("content-type", octets).body(first[..3000].to_vec());
        let created = of(part).await;
        assert_eq!((created.status.as_u16(), created.header("upload-offset")), (201, "3000"));
        assert!(!created.header("upload-expires").is_empty());
        assert_eq!(mentor.patch(created.header("location"), 3000, first[3000..].to_vec()).await.status, 204);
        let whole = |checksum: String| {
            let request = mentor.creation(&visit.captures[1]).header("content-type", octets);
            of(request.header("upload-checksum", checksum).body(second.clone()))
        };
        whole(sha1(first)).await.refused(460, "checksum_mismatch");
        let created = whole(sha1(second)).await;
        assert_eq!((created.status.as_u16(), created.header("upload-offset")), (201, &*second.len().to_string()));
        for capture in &visit.captures {
            assert_eq!(mentor.settled(capture["id"].as_str().unwrap()).await["state"], "ready");
        }
        let wrong = mentor.creation(&visit.captures[1]).header("content-type", "image/jpeg").body(second.clone());
        of(wrong).await.refused(415, "unsupported_media_type");
        let mut more = second.clone();
        more.push(0);
        let third = pictures::capture(&pictures::photo(77), "front");
        of(mentor.creation(&third).header("content-type", octets).body(more)).await.refused(404, "evidence_unknown");
    }

    async fn a_client_may_wait_for_the_go_ahead(app: TestApp) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let mentor = app.mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        let (photo, address) = (&visit.photos[0], app.url.trim_start_matches("http://"));
        let metadata = mentor.creation(&visit.captures[0]).build().unwrap().headers()["upload-metadata"].to_str().unwrap().to_owned();
        let head = |version: &str| format!(
            "POST /api/uploads HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\ntus-resumable: {version}\r\n\
             upload-length: {1}\r\nupload-metadata: {metadata}\r\ncontent-type: application/offset+octet-stream\r\n\
             content-length: {1}\r\nexpect: 100-continue\r\n\r\n", mentor.token, photo.len());
        for (version, first, then) in [("1.0.0", "HTTP/1.1 100 ", "HTTP/1.1 201 "), ("0.2.2", "HTTP/1.1 412 ", "")] {
            let mut connection = tokio::net::TcpStream::connect(address).await.unwrap();
            connection.write_all(head(version).as_bytes()).await.unwrap();
            let mut said = vec![0; 4096];
            let length = connection.read(&mut said).await.unwrap();
            assert!(said[..length].starts_with(first.as_bytes()), "{version}: {}", String::from_utf8_lossy(&said[..length]));
            if !then.is_empty() {
                connection.write_all(photo).await.unwrap();
                let length = connection.read(&mut said).await.unwrap();
                assert!(said[..length].starts_with(then.as_bytes()), "{}", String::from_utf8_lossy(&said[..length]));
            }
        }
    }

    async fn a_checksum_guards_a_chunk(app: TestApp) {
        let mentor = app.mentor().await;
        let photo = pictures::padded(7, 1_300_000);
        let capture = mentor.announce(&photo).await;
        let location = mentor.create_upload(&capture).await.header("location").to_owned();
        let send = |offset: usize, end: usize, checksum: String| {
            of(mentor.chunk(&location, offset, photo[offset..end].to_vec()).header("upload-checksum", checksum))
        };
        let sent = send(0, 5000, sha1(&photo[..5000])).await;
        assert_eq!((sent.status.as_u16(), sent.header("upload-offset")), (204, "5000"));
        let before = pieces(&app).await;
        // Larger than a piece, so that pieces are written before the checksum can be compared.
        send(5000, 1_200_000, sha256(&photo)).await.refused(460, "checksum_mismatch");
        assert_eq!(stands_at(&mentor, &location).await, 5000, "the chunk was discarded");
        assert_eq!(pieces(&app).await, before, "and its bytes are gone");
        let sent = send(5000, 1_200_000, sha256(&photo[5000..1_200_000])).await;
        assert_eq!((sent.status.as_u16(), sent.header("upload-offset")), (204, "1200000"));
        for (wrong, code) in [("md5 1B2M2Y8AsgTpgAmY7PhCfg==", "checksum_algorithm"), ("sha1", "checksum"), ("sha1 %%%", "checksum")] {
            send(1_200_000, 1_250_000, wrong.into()).await.refused(400, code);
        }
        assert_eq!(send(1_200_000, photo.len(), sha1(&photo[1_200_000..])).await.status, 204);
        assert_eq!(mentor.settled(capture["id"].as_str().unwrap()).await["state"], "ready");
    }

    async fn a_cut_chunk_with_a_checksum_counts_for_nothing(app: TestApp) {
        let line = kilele_tests::line::Line::to(&app.url).await;
        let mentor = app.mentor().await;
        let photo = pictures::padded(8, 1_400_000);
        let capture = mentor.announce(&photo).await;
        let location = mentor.create_upload(&capture).await.header("location").to_owned();
        line.all(kilele_tests::line::Fault::CutUp(1_200_000));
        let cut = mentor.by(&line.url());
        let request = cut.chunk(&location, 0, photo.clone()).header("upload-checksum", sha1(&photo));
        assert!(request.send().await.is_err(), "the line was cut");
        assert_eq!(stands_at(&mentor, &location).await, 0, "nobody knows whether these bytes are right");
        assert_eq!(mentor.upload(&capture, &photo).await.status, 204);
    }

    async fn an_unfinished_upload_says_when_it_goes(app: TestApp) {
        let mentor = app.mentor().await;
        let (visit, location) = started(&mentor).await;
        let photo = &visit.photos[0];
        let expires = |answer: &Answer| chrono::DateTime::parse_from_rfc2822(answer.header("upload-expires")).unwrap().timestamp_millis();
        let created = mentor.create_upload(&visit.captures[1]).await;
        let begun = expires(&created) - app.clock.now();
        assert!((6 * kilele::clock::DAY..=7 * kilele::clock::DAY).contains(&begun), "{begun}");
        app.clock.shift(6 * kilele::clock::DAY);
        let mentor = app.mentor().await;
        let moved = mentor.patch(&location, 0, photo[..10].to_vec()).await;
        assert!(expires(&moved) > expires(&created), "whoever goes on has as long again");
        app.clock.shift(2 * kilele::clock::DAY);
        let mentor = app.mentor().await;
        assert_eq!(stands_at(&mentor, &location).await, 10);
        let done = mentor.patch(&location, 10, photo[10..].to_vec()).await;
        assert_eq!((done.status.as_u16(), done.header("upload-expires")), (204, ""), "what is finished does not expire");
    }

    async fn what_has_expired_is_gone(app: TestApp) {
        let mentor = app.mentor().await;
        let (visit, location) = started(&mentor).await;
        mentor.patch(&location, 0, visit.photos[0][..100].to_vec()).await;
        // Not by moving the clock, which would also wake the sweep.
        app.app.db.write(|tx| Box::pin(tx.query("UPDATE upload SET expires_at = 1").run())).await.unwrap();
        let gone = mentor.head(&location).await;
        assert_eq!((gone.status.as_u16(), gone.header("upload-offset")), (410, ""));
        mentor.patch(&location, 100, vec![1]).await.refused(410, "upload_expired");
        kilele::media::tus::sweep(&app.app).await.unwrap();
        assert_eq!(mentor.head(&location).await.status, 404, "forgotten");
        assert_eq!(pieces(&app).await, 0);
        assert_eq!(mentor.upload(&visit.captures[0], &visit.photos[0]).await.status, 204, "and begun again");
    }

    async fn an_upload_can_be_ended(app: TestApp) {
        let mentor = app.mentor().await;
        let (visit, location) = started(&mentor).await;
        mentor.patch(&location, 0, visit.photos[0][..100].to_vec()).await;
        assert_eq!(pieces(&app).await, 1);
        let ended = of(mentor.tus(Method::DELETE, &location)).await;
        assert_eq!((ended.status.as_u16(), ended.bytes.len()), (204, 0));
        assert_eq!(pieces(&app).await, 0, "its room is free again");
        assert_eq!(mentor.head(&location).await.status, 404);
        mentor.patch(&location, 100, vec![1]).await.refused(404, "not_found");
    }
}

/// The conformance table names tests that exist, and every sentence has one.
#[test]
fn every_row_of_the_table_has_its_test() {
    let table = include_str!("../../docs/tus.md");
    let sources = [include_str!("tus.rs"), include_str!("uploads.rs"), include_str!("clients.rs")].concat();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| Level"))
        .map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect())
        .collect();
    assert!(rows.len() >= 50, "{} rows", rows.len());
    for row in &rows {
        assert_eq!(row.len(), 3, "{row:?}");
        assert!(["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "MAY"].contains(&row[0]), "{row:?}");
        for test in row[2].split(", ") {
            let name = test.trim_matches('`');
            let waived = name == "not offered";
            assert!(waived || sources.contains(&format!("fn {name}(")), "{test} of {row:?}");
            assert!(!(waived && row[0].starts_with("MUST") && name == "not offered"), "{row:?}");
        }
    }
}
