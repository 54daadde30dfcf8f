//! Rules for single values that people type.

use crate::error::{Error, Result};

/// Text of at most `longest` characters, trimmed by the caller where it matters.
pub fn text(field: &str, value: &str, longest: usize) -> Result<()> {
    if value.chars().count() > longest {
        return Err(Error::invalid(field, format!("At most {longest} characters.")));
    }
    if value.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(Error::invalid(field, "This text holds control characters."));
    }
    Ok(())
}

/// Text that must not be empty.
pub fn name(field: &str, value: &str) -> Result<()> {
    if value.trim().is_empty() {
        return Err(Error::invalid(field, "This must not be empty."));
    }
    text(field, value, 120)
}

/// `YYYY-MM-DD`, between 1900 and 2100.
pub fn date(field: &str, value: Option<&str>) -> Result<()> {
    let Some(value) = value else { return Ok(()) };
    let date = chrono::NaiveDate::parse_from_str(value, "%Y-%m-%d").ok().filter(|_| value.len() == 10);
    let year = date.map(|d| chrono::Datelike::year(&d));
    if !year.is_some_and(|y| (1900..=2100).contains(&y)) {
        return Err(Error::invalid(field, "A date looks like 1987-04-21."));
    }
    Ok(())
}

/// Degrees and metres of a fix; both coordinates or none.
pub fn place(lat: Option<f64>, lon: Option<f64>, accuracy: Option<f64>) -> Result<()> {
    let fits = match (lat, lon) {
        (None, None) => true,
        (Some(lat), Some(lon)) => (-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon),
        _ => false,
    };
    if !fits || accuracy.is_some_and(|a| !(0.0..=100_000.0).contains(&a)) {
        return Err(Error::invalid("lat", "This is not a place on Earth."));
    }
    Ok(())
}

/// A Kenyan national id: eight digits (DOMAIN §2).
pub fn national_id(value: &str) -> Result<()> {
    if value.len() != 8 || !value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::invalid("national_id", "A national id has 8 digits."));
    }
    Ok(())
}

/// `0712 345 678`, `254712…` or `+254712…` as `+254712345678`.
pub fn phone(value: &str) -> Result<String> {
    let digits: String = value.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')')).collect();
    let national = digits.strip_prefix("+254").or_else(|| digits.strip_prefix("254")).or_else(|| digits.strip_prefix('0'));
    match national {
        Some(n) if n.len() == 9 && n.bytes().all(|b| b.is_ascii_digit()) && n.starts_with(['7', '1']) => {
            Ok(format!("+254{n}"))
        }
        _ => Err(Error::invalid("phone", "A phone number looks like 0712 345 678.")),
    }
}

/// Cents, not negative and not absurd.
pub fn money(field: &str, minor: Option<i64>) -> Result<()> {
    if minor.is_some_and(|m| !(0..=100_000_000_000).contains(&m)) {
        return Err(Error::invalid(field, "This amount is out of range."));
    }
    Ok(())
}

/// A device's time may be wrong, but it is a time: between 2000 and 2100.
pub fn time(field: &str, at: Option<i64>) -> Result<()> {
    if at.is_some_and(|t| !(946_684_800_000..4_102_444_800_000).contains(&t)) {
        return Err(Error::invalid(field, "This time is out of range."));
    }
    Ok(())
}

pub fn one_of(field: &str, value: &str, allowed: &[&str]) -> Result<()> {
    if !allowed.contains(&value) {
        return Err(Error::invalid(field, format!("One of: {}.", allowed.join(", "))));
    }
    Ok(())
}
