//! Files in the shape of a national registry's export. Everybody in them is made up.

use std::fmt::Write;
use std::io::Write as _;

const GIVEN: &[&str] = &[
    "Achieng", "Akinyi", "Chebet", "Esther", "Fatuma", "Halima", "Kemunto", "Moraa", "Naliaka", "Njeri", "Rehema", "Wambui",
    "Abdi", "Daniel", "Kiprono", "Mutua", "Ochieng", "Peter", "Wafula", "Zipporah",
];
const SYLLABLES: &[&str] = &[
    "ka", "mo", "ti", "nde", "wa", "ri", "ko", "lu", "bu", "se", "gi", "ma", "che", "ro", "nya", "pa", "ku", "di", "la",
    "vu",
];

/// Hashes a number: the same at every run.
fn dice(n: usize) -> usize {
    let mut x = (n as u64).wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x ^= x >> 31;
    x = x.wrapping_mul(0x94D0_49BB_1331_11EB);
    (x >> 33) as usize
}

/// A made-up family name.
fn family(n: usize) -> String {
    let text: String = (0..3).map(|part| SYLLABLES[dice(n * 3 + part) % SYLLABLES.len()]).collect();
    text[..1].to_uppercase() + &text[1..]
}

pub const HEAD: &str =
    "HHID,Name of Head,Gender,Date of Birth,ID No.,Mobile Number,Village Code,Latitude,Longitude,Monthly income,Disability";

/// `rows` households in these villages; no two with one id, and few who might be the same.
pub fn csv(rows: usize, villages: &[String]) -> String {
    let mut text = format!("{HEAD}\n");
    for n in 0..rows {
        let name = format!("{} {} {}", GIVEN[dice(n) % GIVEN.len()], family(n * 2 + 1), family(n * 2 + 90_001));
        let born = format!("{:02}/{:02}/{}", 1 + dice(n + 7) % 28, 1 + dice(n + 11) % 12, 1940 + dice(n + 13) % 60);
        let _ = writeln!(
            text,
            "HH-{n:06},{name},{},{born},{:08},07{:08},{},-0.{:05},36.{:05},\"{},{:03}\",{}",
            if n % 3 == 0 { "Male" } else { "Female" },
            20_000_000 + n,
            dice(n + 17) % 99_999_999,
            villages[n % villages.len()],
            dice(n + 19) % 99_999,
            dice(n + 23) % 99_999,
            1 + n % 9,
            dice(n) % 1000,
            if n % 9 == 0 { "yes" } else { "no" },
        );
    }
    text
}

/// A workbook with these parts.
pub fn workbook(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(text.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

pub const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#;
pub const RELS: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
pub const BOOK: &str = r#"<?xml version="1.0" encoding="UTF-8"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>"#;
pub const BOOK_RELS: &str = r#"<?xml version="1.0" encoding="UTF-8"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/><Relationship Id="rId3" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>"#;
/// Style 1 is a date.
pub const STYLES: &str = r#"<?xml version="1.0" encoding="UTF-8"?><styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs></styleSheet>"#;

/// A sheet of cells given as XML.
pub fn sheet(rows: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{rows}</sheetData></worksheet>"
    )
}

/// A whole workbook with one sheet.
pub fn xlsx(rows: &str, shared: &str) -> Vec<u8> {
    workbook(&[
        ("[Content_Types].xml", TYPES),
        ("_rels/.rels", RELS),
        ("xl/workbook.xml", BOOK),
        ("xl/_rels/workbook.xml.rels", BOOK_RELS),
        ("xl/styles.xml", STYLES),
        ("xl/sharedStrings.xml", shared),
        ("xl/worksheets/sheet1.xml", &sheet(rows)),
    ])
}
