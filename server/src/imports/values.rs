//! What people write in a cell as the value it means, or the code of what is wrong with it.

use crate::check;
use crate::households::Sex;

/// The code of a fault: words for it are in `pwa/messages` as `fault_…`.
pub type Wrong = &'static str;

/// In English, for programs and for whoever reads the answer itself.
pub fn words(code: &str) -> &'static str {
    match code {
        "missing" => "This is missing.",
        "too_long" => "This is too long.",
        "bad_text" => "This holds characters that cannot be stored.",
        "bad_date" => "A date looks like 1987-04-21 or 21/04/1987.",
        "bad_sex" => "Female or male.",
        "bad_id" => "A national id has 8 digits.",
        "bad_phone" => "A phone number looks like 0712 345 678.",
        "bad_number" => "This is not a number.",
        "bad_coordinates" => "This is not a place on Earth; it needs latitude and longitude.",
        "bad_yes_no" => "Yes or no.",
        "bad_relationship" => "Head, spouse, child, parent, sibling or other.",
        "place_unknown" => "There is no such village.",
        "place_ambiguous" => "Several villages have this name: add the sub-county or the code.",
        "place_not_village" => "Households live in villages: this place lies above.",
        "id_twice" => "Another row has the same national id.",
        "reference_twice" => "Another row has the same number, and no column says who is the head.",
        "reference_there" => "A household with this number was imported before.",
        "no_head" => "None of this household's rows is its head.",
        "two_heads" => "Two rows of this household are its head.",
        "too_many_members" => "A household has at most 60 members.",
        "code_twice" => "Another row has the same code.",
        "code_taken" => "There is a place with this code already.",
        "parent_unknown" => "No place has this code.",
        "too_deep" => "Nothing can lie below a village.",
        "too_many_cells" => "This row has more cells than there are headers.",
        _ => "This value does not fit.",
    }
}

pub fn text(value: &str, longest: usize) -> Result<String, Wrong> {
    if value.contains(crate::crypto::MARK) || value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err("bad_text");
    }
    if value.chars().count() > longest { Err("too_long") } else { Ok(value.to_owned()) }
}

/// A name on one line.
pub fn name(value: &str) -> Result<String, Wrong> {
    let words: Vec<&str> = value.split_whitespace().collect();
    if words.is_empty() { Err("missing") } else { text(&words.join(" "), 120) }
}

/// `1987-04-21`, `1987/4/21`, `21/04/1987`, `21.4.1987`, with or without a time; the day before the month.
pub fn date(value: &str) -> Result<String, Wrong> {
    let day = value.split([' ', 'T']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split(['-', '/', '.']).collect();
    let [a, b, c] = parts[..] else { return Err("bad_date") };
    let (year, month, day) = if a.len() == 4 { (a, b, c) } else { (c, b, a) };
    let fits = year.len() == 4 && [month, day].iter().all(|part| (1..=2).contains(&part.len()));
    let digits = [year, month, day].iter().all(|part| part.bytes().all(|b| b.is_ascii_digit()));
    if !fits || !digits {
        return Err("bad_date");
    }
    let text = format!("{year}-{month:0>2}-{day:0>2}");
    check::date("", Some(&text)).map_err(|_| "bad_date")?;
    Ok(text)
}

pub fn sex(value: &str) -> Result<Sex, Wrong> {
    match value.to_lowercase().as_str() {
        "f" | "female" | "woman" | "girl" | "ke" | "mke" | "mwanamke" => Ok(Sex::Female),
        "m" | "male" | "man" | "boy" | "me" | "mume" | "mwanaume" | "mwanamume" => Ok(Sex::Male),
        _ => Err("bad_sex"),
    }
}

pub fn yes_no(value: &str) -> Result<bool, Wrong> {
    match value.to_lowercase().as_str() {
        "yes" | "y" | "true" | "1" | "ndiyo" | "ndio" | "n’diyo" | "x" => Ok(true),
        "no" | "n" | "false" | "0" | "hapana" | "la" | "none" => Ok(false),
        _ => Err("bad_yes_no"),
    }
}

pub fn national_id(value: &str) -> Result<String, Wrong> {
    let digits: String = value.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    check::national_id(&digits).map_err(|_| "bad_id")?;
    Ok(digits)
}

/// Spreadsheets take the zero away that a number begins with.
pub fn phone(value: &str) -> Result<String, Wrong> {
    let plain = value.trim_start_matches('\'');
    let bare = plain.len() == 9 && plain.bytes().all(|b| b.is_ascii_digit());
    check::phone(&if bare { format!("0{plain}") } else { plain.to_owned() }).map_err(|_| "bad_phone")
}

/// Shillings, with or without a thousands separator, as cents.
pub fn money(value: &str) -> Result<i64, Wrong> {
    let plain = value.trim_start_matches("KES").trim_start_matches("Ksh").replace([' ', ','], "");
    let amount: f64 = plain.parse().map_err(|_| "bad_number")?;
    let minor = (amount * 100.0).round();
    if !amount.is_finite() || !(0.0..=1e11).contains(&minor) {
        return Err("bad_number");
    }
    Ok(minor as i64)
}

/// Degrees, with a point or a comma.
pub fn degrees(value: &str, most: f64) -> Result<f64, Wrong> {
    let degrees: f64 = value.replace(',', ".").parse().map_err(|_| "bad_coordinates")?;
    if degrees.is_finite() && degrees.abs() <= most { Ok(degrees) } else { Err("bad_coordinates") }
}

pub fn relationship(value: &str) -> Result<&'static str, Wrong> {
    match value.to_lowercase().replace([' ', '-', '_'], "").as_str() {
        "head" | "householdhead" | "hhhead" | "headofhousehold" | "mkuu" | "mkuuwakaya" | "1" => Ok("head"),
        "spouse" | "wife" | "husband" | "partner" | "mwenzi" | "mke" | "mume" => Ok("spouse"),
        "child" | "son" | "daughter" | "mtoto" => Ok("child"),
        "parent" | "mother" | "father" | "mzazi" | "mama" | "baba" => Ok("parent"),
        "sibling" | "brother" | "sister" | "ndugu" | "kaka" | "dada" => Ok("sibling"),
        "" => Err("missing"),
        "other" | "relative" | "grandchild" | "grandparent" | "niece" | "nephew" | "cousin" | "nonrelative" | "mjukuu"
        | "wengine" | "mwingine" => Ok("other"),
        _ => Err("bad_relationship"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_people_write_them() {
        for same in ["1987-04-21", "21/04/1987", "21.4.1987", "1987/4/21", "21-04-1987", "1987-04-21 00:00:00"] {
            assert_eq!(date(same), Ok("1987-04-21".into()), "{same}");
        }
        for wrong in ["04/21/1987", "1987", "21/04/87", "31/02/1990", "x/y/zzzz", "--", "1787-01-01"] {
            assert_eq!(date(wrong), Err("bad_date"), "{wrong}");
        }
        for same in ["0712345678", "712345678", "'0712345678", "+254 712 345 678", "254712345678"] {
            assert_eq!(phone(same), Ok("+254712345678".into()), "{same}");
        }
        assert_eq!((phone("12345"), national_id("1234 5678")), (Err("bad_phone"), Ok("12345678".into())));
        assert_eq!((money("3,500.50"), money("KES 1 200"), money("-1")), (Ok(350_050), Ok(120_000), Err("bad_number")));
        assert_eq!((sex("Mwanamke"), sex("M"), sex("?")), (Ok(Sex::Female), Ok(Sex::Male), Err("bad_sex")));
        assert_eq!((yes_no("Ndiyo"), yes_no("hapana"), yes_no("maybe")), (Ok(true), Ok(false), Err("bad_yes_no")));
        assert_eq!((degrees("-0,25", 90.0), degrees("95", 90.0)), (Ok(-0.25), Err("bad_coordinates")));
        assert_eq!((name("  Zawadi   Chebet "), name(" ")), (Ok("Zawadi Chebet".into()), Err("missing")));
        assert_eq!((relationship("Head of household"), relationship("boss")), (Ok("head"), Err("bad_relationship")));
    }
}
