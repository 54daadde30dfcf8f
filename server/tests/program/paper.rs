//! A grant on paper, as a reader's program sees it: its words, its sizes, and that nothing makes it fail.

use std::process::Command;

use base64::Engine;
use kilele::grants::paper::{self, GrantFile, Size};
use kilele::paper::Language;
use kilele_tests::paper as sample;
use serde_json::{Value, json};

const BOTH: [Language; 2] = [Language::En, Language::Sw];

/// What a program of poppler says of a PDF.
fn ask(program: &str, arguments: &[&str], pdf: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pdf).unwrap();
    let mut command = Command::new(program);
    command.args(arguments).arg(file.path());
    if program == "pdftotext" {
        command.arg("-");
    }
    let output = command.output().expect("poppler-utils");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // This pdfinfo wants a name where the standard has a yes or no.
    let said =
        String::from_utf8_lossy(&output.stderr).replace("Syntax Error: Suspects object is wrong type (boolean)\n", "");
    assert!(said.is_empty(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}

/// The words on its pages, in one line.
fn words(pdf: &[u8]) -> String {
    ask("pdftotext", &["-layout"], pdf).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn pages(pdf: &[u8]) -> usize {
    let info = ask("pdfinfo", &[], pdf);
    info.lines().find_map(|line| line.strip_prefix("Pages:")).unwrap().trim().parse().unwrap()
}

fn written(grant: GrantFile) -> Vec<u8> {
    paper::file(grant).unwrap()
}

#[test]
fn the_file_says_it_in_both_languages() {
    for language in BOTH {
        let grant = sample::file(language, 5, 8);
        let hashes: Vec<String> = grant.photos.iter().map(|photo| photo.sha256.clone()).collect();
        let signed: Vec<String> = grant.signatures.iter().map(|one| one.sha256.clone()).collect();
        let pdf = written(grant);
        let text = words(&pdf);
        for said in ["GRA-2026-00012", "KES 17,931", "8,750", "Wanjikũ wa Kamau", "Mũgĩthi Njoroge", "QGH7X2K9LM", "× 1.15"]
        {
            assert!(text.contains(said), "{said}: {text}");
        }
        assert!(hashes.iter().chain(&signed).all(|hash| text.contains(hash.as_str())), "{text}");
        let said: &[&str] = match language {
            Language::En => {
                &["Grant file", "Mobile money", "4 March 2026, 11:05", "Page 1 of", "Signature", "Use of the grant"]
            }
            Language::Sw => {
                &["Faili la ruzuku", "Pesa kwa simu", "4 Machi 2026, 11:05", "Ukurasa 1 kati ya", "Sahihi", "Matumizi"]
            }
        };
        assert!(said.iter().all(|said| text.contains(said)), "{text}");
        let info = ask("pdfinfo", &[], &pdf);
        assert!(info.contains("Tagged:          yes") && info.contains("A4"), "{info}");
        assert!(info.contains("GRA-2026-00012") && info.contains("Tumaini Trust"), "{info}");
        let fonts = ask("pdffonts", &[], &pdf);
        assert!(fonts.lines().skip(2).all(|line| line.contains("NotoSans") && line.contains("yes yes yes")), "{fonts}");
    }
}

#[test]
fn thirty_photos_go_in_as_they_are() {
    let grant = sample::file(Language::En, 30, 3);
    let bytes: usize = grant.photos.iter().filter_map(|photo| photo.jpeg.as_ref()).map(Vec::len).sum();
    let pdf = written(grant);
    let images = ask("pdfimages", &["-list"], &pdf);
    assert_eq!(images.lines().filter(|line| line.contains(" jpeg ")).count(), 30, "{images}");
    // What is beside them: the letters, the pages.
    assert!(pdf.len() > bytes && pdf.len() < bytes + 200_000, "{} of photos in {}", bytes, pdf.len());
}

#[test]
fn what_is_long_goes_on_and_what_is_missing_is_said() {
    for language in BOTH {
        let mut grant = sample::file(language, 4, 60);
        let name = "Mwanahawa binti Abdulrahmani 👩🏾‍🌾 ".repeat(8);
        grant.group = Some(name.clone());
        grant.organisation.name = name.clone();
        grant.organisation.logo = Some("data:image/png;base64,AAAA".into());
        grant.organisation.time_zone = "Nowhere".into();
        grant.plan.description = "x".repeat(5_000);
        grant.note = "Mbuzi wana afya. ".repeat(300);
        grant.history[2].reason = "y".repeat(2_000);
        grant.photos[1].jpeg = None;
        grant.photos[2].jpeg = Some(b"no picture".to_vec());
        grant.photos[3].quarantined = Some("bomb".into());
        grant.photos[3].jpeg = None;
        grant.signatures[0].verified = false;
        grant.signatures[1].ink = None;
        grant.signatures[2].ink =
            Some(kilele_media::Ink { width: 0, height: 0, strokes: vec![vec![[i32::MIN, i32::MAX, 0, 0]]] });
        grant.signatures[2].statement = "z ".repeat(2_000);
        let pdf = written(grant);
        let text = words(&pdf);
        assert!(pages(&pdf) > 8);
        assert_eq!((text.matches('x').count() >= 5_000, text.matches('y').count() >= 2_000), (true, true));
        let said: &[&str] = match language {
            Language::En => &["has not arrived yet", "was set aside", "DOES NOT FIT", "cannot be shown", "UTC"],
            Language::Sw => &["bado haijafika", "limewekwa kando", "HAILINGANI", "haiwezi kuonyeshwa", "UTC"],
        };
        assert!(said.iter().all(|said| text.contains(said)), "{text}");
        assert!(text.contains('\u{fffd}'));
    }
}

#[test]
fn an_empty_file_is_a_file() {
    for language in BOTH {
        let text = words(&written(sample::empty(language)));
        let said = if language == Language::En { "Nobody has signed yet." } else { "Bado hakuna aliyetia sahihi." };
        assert!(text.contains(said) && text.contains("KES 0"), "{text}");
    }
}

#[test]
fn the_receipt_fits_what_it_is_for() {
    for language in BOTH {
        let receipt = sample::receipt(language);
        for (size, paper) in [(Size::A4, (595, 842)), (Size::A6, (298, 420)), (Size::Phone, (255, 454))] {
            let pdf = paper::receipt(&receipt, size).unwrap();
            let info = ask("pdfinfo", &[], &pdf);
            let line = info.lines().find_map(|line| line.strip_prefix("Page size:")).unwrap().to_owned();
            let sides: Vec<f64> = line.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            assert_eq!(sides[0].round() as i64, paper.0, "{line}");
            assert!(if size == Size::Phone { sides[1] >= 453.0 } else { sides[1].round() as i64 == paper.1 }, "{line}");
            assert_eq!(pages(&pdf), 1, "{size:?}");
            let text = words(&pdf);
            let receipt = if language == Language::En { "Receipt" } else { "Stakabadhi" };
            for said in [receipt, "KES 8,750", "Wanjikũ wa Kamau", "GRA-2026-00012", "QGH7X2K9LM", &sample::hash(1000)[..32]]
            {
                assert!(text.contains(said), "{said}: {text}");
            }
        }
    }
}

#[test]
fn a_receipt_that_does_not_count_says_so() {
    let mut receipt = sample::receipt(Language::En);
    (receipt.counted, receipt.flag, receipt.signature) = (false, Some("reversed".into()), None);
    let text = words(&paper::receipt(&receipt, Size::A6).unwrap());
    assert!(text.contains("not counted: the payment was reversed") && text.contains("cannot be shown"), "{text}");
}

#[test]
fn the_code_says_what_the_receipt_says() {
    let receipt = sample::receipt(Language::Sw);
    let code = paper::code(&receipt).unwrap();
    let text = code.strip_prefix("KILELE-R1.").unwrap();
    let json = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
    assert!(json.starts_with(br#"{"g":"GRA-2026-00012","t":1,"a":875000,"c":"KES","d":"#));
    let said: Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(
        said,
        json!({ "g": "GRA-2026-00012", "t": 1, "a": 875_000, "c": "KES", "d": receipt.received_at,
            "k": receipt.acknowledgement, "h": &sample::hash(1000)[..32] })
    );
}
