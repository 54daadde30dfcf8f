//! The fields a file may bring, and the headers under which registries and people write them.

use std::collections::HashMap;

use super::Kind;

/// A field's key, an example for the template, and its headers: English, Swahili, and those of registry exports.
type Field = (&'static str, &'static str, &'static [&'static str]);

const HOUSEHOLDS: &[Field] = &[
    (
        "reference",
        "HH-000001",
        &[
            "household number",
            "hh no",
            "hhid",
            "hh id",
            "household id",
            "household code",
            "registry number",
            "uhai id",
            "esr id",
            "nambari ya kaya",
            "namba ya kaya",
        ],
    ),
    ("relationship", "head", &["relation to head", "relationship to head", "relation", "uhusiano", "uhusiano na mkuu"]),
    (
        "head_name",
        "Zawadi Chebet",
        &[
            "name",
            "full name",
            "names",
            "head name",
            "name of head",
            "household head",
            "hh head",
            "hh head name",
            "beneficiary name",
            "respondent name",
            "member name",
            "jina",
            "jina kamili",
            "jina la mkuu wa kaya",
            "mkuu wa kaya",
        ],
    ),
    ("first_name", "", &["given name", "fname", "jina la kwanza"]),
    ("middle_name", "", &["other names", "second name", "jina la kati"]),
    ("last_name", "", &["surname", "family name", "lname", "jina la ukoo", "jina la mwisho"]),
    ("head_sex", "female", &["sex", "gender", "head sex", "head gender", "jinsia"]),
    (
        "head_birth_date",
        "1987-04-21",
        &["birth date", "date of birth", "dob", "birthdate", "head dob", "tarehe ya kuzaliwa"],
    ),
    (
        "national_id",
        "12345678",
        &[
            "id number",
            "id no",
            "national id no",
            "national id number",
            "nid",
            "head id",
            "idnumber",
            "kitambulisho",
            "nambari ya kitambulisho",
            "namba ya kitambulisho",
        ],
    ),
    (
        "phone",
        "0712 345 678",
        &[
            "phone number",
            "phone no",
            "mobile",
            "mobile number",
            "telephone",
            "tel",
            "msisdn",
            "contact",
            "simu",
            "nambari ya simu",
            "namba ya simu",
        ],
    ),
    ("place_code", "KIL-MA-01", &["village code", "place", "location code", "msimbo wa kijiji", "msimbo"]),
    ("county", "", &["county name", "kaunti", "region", "district"]),
    ("sub_county", "", &["subcounty", "sub county name", "constituency", "kaunti ndogo"]),
    ("village", "", &["village name", "kijiji", "settlement", "community"]),
    ("lat", "-0.30112", &["latitude", "gps lat", "gps latitude", "latitudo"]),
    ("lon", "36.05224", &["longitude", "lng", "long", "gps lon", "gps longitude", "longitudo"]),
    ("monthly_income", "3500", &["income", "income per month", "household income", "mapato", "mapato ya mwezi", "kipato"]),
    ("electricity", "no", &["has electricity", "umeme"]),
    ("clean_water", "yes", &["water", "has clean water", "maji safi", "maji"]),
    ("disability", "no", &["disabled", "has disability", "pwd", "ulemavu"]),
    ("notes", "", &["note", "remarks", "comment", "comments", "maelezo"]),
];

const PLACES: &[Field] = &[
    ("code", "MIAMBANI", &["place code", "village code", "location code", "msimbo"]),
    ("parent_code", "KITUI-C", &["parent", "above", "part of", "msimbo wa juu"]),
    ("name", "Miambani", &["place name", "village name", "place", "village", "jina", "kijiji"]),
    ("lat", "-1.30112", &["latitude", "gps lat", "latitudo"]),
    ("lon", "38.10224", &["longitude", "lng", "long", "gps lon", "longitudo"]),
];

fn of(kind: Kind) -> &'static [Field] {
    match kind {
        Kind::Households => HOUSEHOLDS,
        Kind::Places => PLACES,
    }
}

pub fn known(kind: Kind, field: &str) -> bool {
    of(kind).iter().any(|(key, ..)| *key == field)
}

/// A header without what people vary: case, spaces, signs, and what stands in brackets.
pub fn plain(header: &str) -> String {
    let header = header.split(['(', '[']).next().filter(|start| !start.trim().is_empty()).unwrap_or(header);
    header.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// What each header most likely means, each field once: as this organisation said before, then by alias.
pub fn guess(kind: Kind, head: &[String], said: &HashMap<String, String>) -> Vec<String> {
    let mut taken: Vec<&str> = Vec::new();
    let plain: Vec<String> = head.iter().map(|header| plain(header)).collect();
    let mut fields = vec![String::new(); head.len()];
    let named = |header: &str, (key, _, aliases): &Field| {
        self::plain(key) == header || aliases.iter().any(|alias| self::plain(alias) == header)
    };
    for (at, header) in plain.iter().enumerate() {
        if let Some(field) = said.get(header) {
            let found = of(kind).iter().find(|(key, ..)| key == field && !taken.contains(key));
            fields[at] = found.map_or("", |(key, ..)| key).to_owned();
            taken.extend(found.map(|(key, ..)| *key));
        }
    }
    for (at, header) in plain.iter().enumerate() {
        if said.contains_key(header) || header.is_empty() {
            continue;
        }
        if let Some((key, ..)) = of(kind).iter().find(|field| !taken.contains(&field.0) && named(header, field)) {
            fields[at] = (*key).to_owned();
            taken.push(key);
        }
    }
    fields
}

/// A file to begin with: the columns and one row.
pub fn template(kind: Kind) -> String {
    let some: Vec<&Field> = of(kind).iter().filter(|(_, example, _)| !example.is_empty()).collect();
    let line = |cells: Vec<&str>| cells.join(",") + "\r\n";
    // Spreadsheets read UTF-8 when it is marked.
    let head = format!("\u{feff}{}", line(some.iter().map(|field| field.0).collect()));
    match kind {
        Kind::Households => head + &line(some.iter().map(|field| field.1).collect()),
        Kind::Places => {
            head + "KITUI,,Kitui County,,\r\nKITUI-C,KITUI,Kitui Central,,\r\nMIAMBANI,KITUI-C,Miambani,-1.30112,38.10224\r\n"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(kind: Kind, head: &[&str]) -> Vec<String> {
        guess(kind, &head.iter().map(|h| (*h).to_owned()).collect::<Vec<_>>(), &HashMap::new())
    }

    #[test]
    fn headers_of_registries_and_people_are_understood() {
        let head =
            ["HHID", "Name of Head", "Gender", "D.O.B.", "ID No.", "Mobile Number", "Sub-County", "Village", "Colour"];
        let fields =
            ["reference", "head_name", "head_sex", "head_birth_date", "national_id", "phone", "sub_county", "village", ""];
        assert_eq!(guessed(Kind::Households, &head), fields);
        let head = ["Jina kamili", "Jinsia", "Tarehe ya kuzaliwa (siku/mwezi/mwaka)", "Simu", "Kijiji", "Jina"];
        assert_eq!(guessed(Kind::Households, &head), ["head_name", "head_sex", "head_birth_date", "phone", "village", ""]);
        assert_eq!(
            guessed(Kind::Places, &["Code", "Parent code", "Name", "Lat", "Lon"]),
            ["code", "parent_code", "name", "lat", "lon"]
        );
    }

    #[test]
    fn what_an_organisation_said_comes_first() {
        let said = HashMap::from([("name".to_owned(), String::new()), ("colour".to_owned(), "notes".to_owned())]);
        let head = ["Name", "Jina", "Colour"].map(str::to_owned);
        assert_eq!(guess(Kind::Households, &head, &said), ["", "head_name", "notes"]);
    }

    #[test]
    fn no_header_means_two_fields() {
        for kind in [Kind::Households, Kind::Places] {
            let mut seen = HashMap::new();
            for (key, _, aliases) in of(kind) {
                for alias in aliases.iter().chain([key]) {
                    assert!(seen.insert(plain(alias), key).is_none_or(|other| other == key), "{alias}");
                }
            }
            let head: Vec<String> = template(kind)
                .trim_start_matches('\u{feff}')
                .lines()
                .next()
                .unwrap_or_default()
                .split(',')
                .map(str::to_owned)
                .collect();
            assert!(guess(kind, &head, &HashMap::new()).iter().zip(&head).all(|(field, header)| field == header));
        }
    }
}
