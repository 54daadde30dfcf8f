//! What is stored and served is clean.

use kilele_tests::{TestApp, both, pictures};

both! {
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
}
