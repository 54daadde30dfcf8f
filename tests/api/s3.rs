//! Pictures on a real S3 server, which may refuse, break, dawdle or be gone.

use std::time::{Duration, Instant};

use kilele::ops::backup::{Place, make, restore, verify};
use kilele::ops::progress::Progress;
use kilele_tests::line::{Fault, Line};
use kilele_tests::s3::S3;
use kilele_tests::{Engine, Person, TestApp, Visit, pictures, until};

/// A server on each engine that keeps its pictures on S3, by way of a line.
struct Story {
    app: TestApp,
    s3: S3,
    line: Line,
}

impl Story {
    async fn begin(engine: Engine, more: impl Fn(&str) -> Option<String>) -> Self {
        let s3 = S3::start().await;
        let line = Line::to(&s3.url()).await;
        let settings = s3.settings(line.url());
        let app = TestApp::spawn_with(engine, |name| more(name).or_else(|| settings(name))).await;
        Self { app, s3, line }
    }

    /// The addresses of derived pictures, and whose they are.
    async fn delivered(&self) -> (Person, Visit) {
        let mentor = self.app.mentor().await;
        let visit = mentor.submit(&mentor.a_household().await).await;
        for (capture, photo) in visit.captures.iter().zip(&visit.photos) {
            assert_eq!(mentor.upload(capture, photo).await.status, 204);
            assert_eq!(mentor.settled(capture["id"].as_str().unwrap()).await["state"], "ready");
        }
        (mentor, visit)
    }

    /// Makes jobs that wait for a better moment due now.
    fn hurry(&self) {
        self.app.clock.shift(2 * kilele::clock::MINUTE);
        self.app.app.jobs.notify_one();
    }
}

macro_rules! on_s3 {
    ($(async fn $name:ident($story:ident) with $settings:expr; $body:block)*) => {$(
        mod $name {
            use super::*;

            async fn story($story: Story) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                story(Story::begin(Engine::Sqlite, $settings).await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                story(Story::begin(Engine::Postgres, $settings).await).await;
            }
        }
    )*};
}

fn redirects(name: &str) -> Option<String> {
    (name == "KILELE_MEDIA_REDIRECT_SECONDS").then(|| "120".into())
}

on_s3! {
    async fn a_photo_is_uploaded_derived_served_and_cleared_away(story) with |_| None; {
        let (mentor, visit) = story.delivered().await;
        let id = visit.captures[0]["id"].as_str().unwrap();
        let sha256 = visit.captures[0]["sha256"].as_str().unwrap();
        for size in ["thumb", "card", "full"] {
            let whole = mentor.get(&format!("/api/media/{id}/{size}")).await;
            assert_eq!((whole.status.as_u16(), whole.header("content-type")), (200, "image/jpeg"));
            kilele_media::inspect(&whole.bytes).unwrap();
            let part = mentor.request(reqwest::Method::GET, &format!("/api/media/{id}/{size}")).header("range", "bytes=-9");
            let part = kilele_tests::Answer::of(part).await;
            assert_eq!((part.status.as_u16(), &part.bytes[..]), (206, &whole.bytes[whole.bytes.len() - 9..]));
        }
        let key = |variant: &str| format!("kilele/{}/{}/{sha256}/{variant}", mentor.org(), &sha256[..2]);
        let objects = story.s3.objects();
        assert_eq!(objects.len(), 8, "two originals, each in three sizes, and no piece: {objects:?}");
        for variant in ["original", "full", "card", "thumb"] {
            assert!(objects.contains(&key(variant)), "{variant} in {objects:?}");
        }
        let left = kilele::media::verify::verify(&story.app.app, true, &Progress::silent()).await.unwrap();
        assert_eq!((left.originals, left.derivatives, left.findings.len()), (2, 6, 0));
        // A half upload that is ended leaves nothing.
        let photo = pictures::photo(31);
        let capture = mentor.announce(&photo).await;
        let location = mentor.create_upload(&capture).await.header("location").to_owned();
        mentor.patch(&location, 0, photo[..5000].to_vec()).await;
        assert_eq!(story.s3.objects().len(), 9);
        kilele_tests::Answer::of(mentor.tus(reqwest::Method::DELETE, &location)).await;
        assert_eq!(story.s3.objects().len(), 8);
        // What nobody knows is cleared away, once it is old enough to be judged.
        let (org, nobody) = (mentor.org(), "0".repeat(64));
        story.app.app.store.put(&org, &nobody, kilele_media::Variant::Card, vec![2; 100].into()).await.unwrap();
        story.app.clock.shift(2 * kilele::clock::HOUR);
        let found = kilele::media::gc::collect(&story.app.app, false, &Progress::silent()).await.unwrap();
        assert_eq!((found.derivatives, found.pieces, found.kept_originals, story.s3.objects().len()), (1, 0, 0, 9));
        let removed = kilele::media::gc::collect(&story.app.app, true, &Progress::silent()).await.unwrap();
        assert_eq!((removed.derivatives, story.s3.objects()), (1, objects));
    }

    async fn a_large_photo_goes_in_parts_and_a_cut_among_them_loses_nothing(story) with |_| None; {
        let mentor = story.app.mentor().await;
        let photo = pictures::padded(40, 12_000_000);
        let capture = mentor.announce(&photo).await;
        let location = mentor.create_upload(&capture).await.header("location").to_owned();
        let mut offset = 0;
        while offset < 11_000_000 {
            let next = offset + 1_000_000;
            assert_eq!(mentor.patch(&location, offset, photo[offset..next].to_vec()).await.status, 204);
            offset = next;
        }
        // From now on no connection to the storage carries a whole part of 5 MiB.
        story.line.all(Fault::CutUp(3 << 20));
        let cut = mentor.patch(&location, offset, photo[offset..].to_vec()).await;
        cut.refused(503, "unavailable");
        assert_eq!(cut.header("retry-after"), "2");
        assert!(!story.s3.objects().iter().any(|key| key.ends_with("original")), "nobody sees half an object");
        story.line.all(Fault::None);
        // All bytes are there as pieces; looking at the upload puts it together.
        let asked = mentor.tus(reqwest::Method::GET, &location).header("x-http-method-override", "HEAD");
        let asked = kilele_tests::Answer::of(asked).await;
        assert_eq!(asked.header("upload-offset"), photo.len().to_string(), "{} {}", asked.status, asked.body);
        let id = capture["id"].as_str().unwrap();
        assert_eq!(mentor.settled(id).await["state"], "ready");
        let objects = story.s3.objects();
        assert!(objects.iter().any(|key| key.ends_with("original")) && !objects.iter().any(|key| key.contains("uploads")));
        let report = kilele::media::verify::verify(&story.app.app, false, &Progress::silent()).await.unwrap();
        assert_eq!((report.findings.len(), report.originals), (0, 1));
    }

    async fn a_storage_that_fails_is_said_clearly_and_nothing_is_lost(story) with |_| None; {
        let mentor = story.app.mentor().await;
        let photo = pictures::padded(41, 400_000);
        let capture = mentor.announce(&photo).await;
        let location = mentor.create_upload(&capture).await.header("location").to_owned();
        assert_eq!(mentor.patch(&location, 0, photo[..150_000].to_vec()).await.status, 204);
        let broken = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n";
        for fault in [Fault::Refuse, Fault::Answer(broken.into()), Fault::CutUp(30_000), Fault::CutDown(10)] {
            story.line.all(fault.clone());
            let begun = Instant::now();
            let refused = mentor.patch(&location, 150_000, photo[150_000..].to_vec()).await;
            refused.refused(503, "unavailable");
            assert_eq!(refused.header("retry-after"), "2", "{fault:?}");
            assert!(begun.elapsed() < Duration::from_secs(20), "{fault:?}: {:?}", begun.elapsed());
            assert_eq!(mentor.head(&location).await.header("upload-offset"), "150000", "{fault:?}");
        }
        // Records do not wait for pictures.
        mentor.submit(&mentor.a_household().await).await;
        story.app.clock.shift(11_000);
        let health = story.app.get("/health/ready").await;
        assert_eq!((health.status.as_u16(), health.body["media"].as_str(), health.body["database"].as_str()), (503, Some("down"), Some("ok")));
        story.line.all(Fault::None);
        assert_eq!(mentor.patch(&location, 150_000, photo[150_000..].to_vec()).await.status, 204);
        assert_eq!(mentor.settled(capture["id"].as_str().unwrap()).await["state"], "ready");
    }

    async fn a_slow_storage_is_waited_for(story) with |_| None; {
        story.line.all(Fault::Slow(Duration::from_millis(40)));
        story.delivered().await;
    }

    async fn deriving_is_tried_again_until_the_storage_is_back(story) with |_| None; {
        let mentor = story.app.mentor().await;
        let photo = pictures::padded(42, 300_000);
        let capture = mentor.announce(&photo).await;
        let location = mentor.create_upload(&capture).await.header("location").to_owned();
        let id = capture["id"].as_str().unwrap();
        // Nobody derives while the upload ends: the storage goes between the two.
        let all = story.app.app.originals.acquire_many(50).await.unwrap();
        assert_eq!(mentor.patch(&location, 0, photo).await.status, 204);
        story.line.all(Fault::Refuse);
        drop(all);
        until("the job to fail", async || {
            let row: Option<(String,)> = story.app.app.db.query("SELECT error FROM job WHERE error IS NOT NULL").optional().await.unwrap();
            row.filter(|(error,)| error == "unavailable")
        })
        .await;
        assert_eq!(mentor.record("evidence", id).await.unwrap()["state"], "received");
        story.line.all(Fault::None);
        story.hurry();
        assert_eq!(story.app.mentor().await.settled(id).await["state"], "ready");
    }

    async fn pictures_are_fetched_from_the_storage_itself(story) with redirects; {
        let (mentor, visit) = story.delivered().await;
        let id = visit.captures[0]["id"].as_str().unwrap();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let ask = || kilele_tests::Answer::of(client.get(format!("{}/api/media/{id}/card", story.app.url)).bearer_auth(&mentor.token));
        let sent = ask().await;
        assert_eq!((sent.status.as_u16(), sent.header("cache-control")), (302, "private, max-age=60"));
        let address = sent.header("location").to_owned();
        assert!(address.starts_with(&story.line.url()) && address.contains("X-Amz-Expires=120&"), "{address}");
        // The address alone is enough, says what it is, and is not good for another object.
        let picture = kilele_tests::Answer::of(client.get(&address)).await;
        assert_eq!((picture.status.as_u16(), picture.header("content-type")), (200, "image/jpeg"));
        kilele_media::inspect(&picture.bytes).unwrap();
        assert_eq!(kilele_tests::Answer::of(client.get(address.replace("/card", "/original"))).await.status, 403);
        // The page may show it.
        let policy = story.app.get("/").await.header("content-security-policy").to_owned();
        assert!(policy.contains(&format!("img-src 'self' blob: data: {};", story.line.url())), "{policy}");
        // One that lives a second is dead after it.
        let (org, sha256) = (mentor.org(), visit.captures[0]["sha256"].as_str().unwrap());
        let second = Duration::from_secs(1);
        let signed = story.app.app.store.signed_url(&org, sha256, kilele_media::Variant::Card, second).await;
        let address = signed.unwrap().unwrap();
        let expired = until("the address to expire", async || {
            let answer = kilele_tests::Answer::of(client.get(&address)).await;
            (answer.status != 200).then_some(answer)
        })
        .await;
        assert_eq!(expired.status, 403);
        // Who may not see it is not sent anywhere.
        story.app.other_mentor().await.get(&format!("/api/media/{id}/card")).await.refused(404, "not_found");
        kilele_tests::cast::neighbours(&story.app).await;
        let probe = story.app.sign_in("b.admin").await;
        let refused = kilele_tests::Answer::of(client.get(format!("{}/api/media/{id}/card", story.app.url)).bearer_auth(&probe.token)).await;
        assert_eq!((refused.status.as_u16(), refused.header("location")), (404, ""), "no signed address for the neighbours");
        let head = mentor.request(reqwest::Method::HEAD, &format!("/api/media/{id}/card"));
        assert_eq!(kilele_tests::Answer::of(head).await.status, 200);
    }

    async fn a_backup_lies_there_is_proved_and_put_back(story) with |_| None; {
        story.delivered().await;
        let (app, silent) = (&story.app, Progress::silent());
        let config = &app.app.config;
        let place = Place::open(config, Some("s3://photos/backups")).unwrap();
        // Away: the backup fails, and what lies there then is none.
        story.line.all(Fault::Refuse);
        assert!(make::make(&app.app, &place, &silent).await.is_err());
        story.line.all(Fault::None);
        assert!(verify::verify(config, &app.clock, &place, None, &[], &silent).await.is_err(), "half a backup is none");

        let made = make::make(&app.app, &place, &silent).await.unwrap();
        assert_eq!((made.objects, made.missing.len()), (8, 0));
        assert_eq!(make::make(&app.app, &place, &silent).await.unwrap().added, 0, "pictures are copied once");
        let report = verify::verify(config, &app.clock, &place, None, &[], &silent).await.unwrap();
        assert_eq!(report.faults, Vec::<String>::new());

        // One bit of any of its objects.
        let backups: Vec<String> = story.s3.objects().into_iter().filter(|path| path.starts_with("backups/")).collect();
        assert_eq!(backups.len(), 3 + 3 + 8, "two backups of three, and the pictures: {backups:?}");
        let newest = backups.iter().filter(|path| path.ends_with("/manifest")).max().unwrap().trim_end_matches("manifest");
        for path in backups.iter().filter(|path| path.starts_with(newest) || path.contains("/objects/")) {
            let file = story.s3.folder.path().join(kilele_tests::s3::BUCKET).join(path);
            let whole = std::fs::read(&file).unwrap();
            let mut other = whole.clone();
            let middle = other.len() / 2;
            other[middle] ^= 1;
            std::fs::write(&file, &other).unwrap();
            let told = verify::verify(config, &app.clock, &place, None, &[], &silent).await;
            assert!(told.is_err() || !told.unwrap().faults.is_empty(), "{path}");
            std::fs::write(&file, &whole).unwrap();
        }

        let machine = app.elsewhere(app.engine()).await;
        let done = restore::restore(&machine.config, &app.clock, &place, None, &[], &silent).await.unwrap();
        assert_eq!((done.added, done.lost.len()), (8, 0));
        let new = machine.serve(&app.clock).await;
        assert_eq!(new.mentor().await.records("visit").await, app.mentor().await.records("visit").await);
    }
}

/// What is wrong with the storage is said at the start, and when it will not heal the start ends there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_start_says_what_is_wrong() {
    let s3 = S3::start().await;
    let settings = s3.settings(s3.url());
    let begin = async |change: (&str, String)| {
        let with = |name: &str| if name == change.0 { Some(change.1.clone()) } else { settings(name) };
        let app = TestApp::spawn_empty(Engine::Sqlite, with).await;
        kilele::server::probe(&app.app).await.map_err(|error| format!("{error:#}"))
    };
    assert_eq!(begin(("none", String::new())).await, Ok(()));
    // As S3 says that there is no such bucket; s3s-fs makes it instead.
    let missing = Line::to(&s3.url()).await;
    let body = "<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>";
    let length = body.len();
    missing.all(Fault::Answer(format!("HTTP/1.1 404 Not Found\r\ncontent-length: {length}\r\n\r\n{body}")));
    let cases = [
        ("AWS_SECRET_ACCESS_KEY", "wrong".to_owned()),
        ("AWS_ACCESS_KEY_ID", "WRONG".into()),
        ("AWS_ENDPOINT_URL", missing.url()),
    ];
    for (name, wrong) in cases {
        let said = begin((name, wrong.clone())).await.expect_err(&wrong);
        assert!(said.starts_with("KILELE_MEDIA_URL=s3://") && said.contains("refuses us"), "{name}: {said}");
    }
    // What may be back in a minute does not end the start.
    let nobody = Line::to("127.0.0.1:1").await;
    assert_eq!(begin(("AWS_ENDPOINT_URL", nobody.url())).await, Ok(()));
    assert!(s3.objects().is_empty(), "the probe leaves nothing");
}

/// The bucket in the host's name, as some stores ask for ("virtual-hosted style"), on both engines.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bucket_may_stand_in_the_hosts_name() {
    let s3 = S3::start_with_hosts().await;
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let settings = s3.settings_with_hosts();
        let app = TestApp::spawn_with(engine, |name| redirects(name).or_else(|| settings(name))).await;
        assert_eq!(kilele::server::probe(&app.app).await.map_err(|error| format!("{error:#}")), Ok(()));
        let mentor = app.mentor().await;
        let photo = pictures::padded(40, 12_000_000);
        let capture = mentor.announce(&photo).await;
        assert_eq!(mentor.upload(&capture, &photo).await.status, 204);
        let id = capture["id"].as_str().unwrap();
        assert_eq!(mentor.settled(id).await["state"], "ready");
        let key = format!("kilele/{}/{}/", mentor.org(), &capture["sha256"].as_str().unwrap()[..2]);
        assert_eq!(s3.objects().iter().filter(|path| path.starts_with(&key)).count(), 4, "{:?}", s3.objects());
        // A phone is sent to the same name, without the bucket in the path.
        let proxied = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .proxy(reqwest::Proxy::http(s3.url()).unwrap());
        let direct = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let sent =
            kilele_tests::Answer::of(direct.get(format!("{}/api/media/{id}/card", app.url)).bearer_auth(&mentor.token))
                .await;
        let address = sent.header("location").to_owned();
        assert!(address.starts_with(&format!("{}/kilele/", s3.host())), "{address}");
        let picture = kilele_tests::Answer::of(proxied.build().unwrap().get(&address)).await;
        assert_eq!((picture.status.as_u16(), picture.header("content-type")), (200, "image/jpeg"));
    }
}

/// Wrong keys while serving: clients are told to come back, and what they hold stays theirs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_keys_are_a_passing_failure_for_phones() {
    let s3 = S3::start().await;
    let settings = s3.settings(s3.url());
    let with = |name: &str| if name == "AWS_SECRET_ACCESS_KEY" { Some("wrong".into()) } else { settings(name) };
    let app = TestApp::spawn_with(Engine::Sqlite, with).await;
    let mentor = app.mentor().await;
    let photo = pictures::photo(50);
    let capture = mentor.announce(&photo).await;
    let location = mentor.create_upload(&capture).await.header("location").to_owned();
    let refused = mentor.patch(&location, 0, photo.clone()).await;
    refused.refused(503, "unavailable");
    assert_eq!(refused.header("retry-after"), "2");
    let id = capture["id"].as_str().unwrap();
    assert_eq!(mentor.record("evidence", id).await.unwrap()["state"], "announced");
    // The same upload ends well where the keys are right.
    let right = settings("AWS_SECRET_ACCESS_KEY").unwrap();
    let mended = app
        .twin_with(|config| {
            config
                .media_options
                .iter_mut()
                .filter(|(name, _)| name == "AWS_SECRET_ACCESS_KEY")
                .for_each(|(_, key)| key.clone_from(&right));
        })
        .await;
    let mentor = mentor.by(&mended.url);
    assert_eq!(mentor.head(&location).await.header("upload-offset"), "0");
    assert_eq!(mentor.patch(&location, 0, photo).await.status, 204);
    assert_eq!(mentor.settled(id).await["state"], "ready");
}

#[test]
fn signed_addresses_live_five_minutes_at_most() {
    let with = |seconds: &'static str| {
        kilele::config::Config::from(move |name| (name == "KILELE_MEDIA_REDIRECT_SECONDS").then(|| seconds.to_owned()))
    };
    assert_eq!(with("300").unwrap().media_redirect_seconds, 300);
    assert!(with("301").unwrap_err().to_string().contains("KILELE_MEDIA_REDIRECT_SECONDS"));
}
