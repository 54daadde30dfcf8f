//! Money, days and times as they are written for people, by an organisation's currency and clock.

use chrono::{DateTime, Datelike, NaiveDate, Timelike};
use chrono_tz::Tz;

use super::Language;
use crate::clock::Millis;

const MONTHS: [[&str; 2]; 12] = [
    ["January", "Januari"],
    ["February", "Februari"],
    ["March", "Machi"],
    ["April", "Aprili"],
    ["May", "Mei"],
    ["June", "Juni"],
    ["July", "Julai"],
    ["August", "Agosti"],
    ["September", "Septemba"],
    ["October", "Oktoba"],
    ["November", "Novemba"],
    ["December", "Desemba"],
];

/// How an organisation writes what is counted and when something was.
#[derive(Clone, Debug)]
pub struct Figures {
    currency: String,
    zone: Tz,
    language: Language,
}

impl Figures {
    /// A time zone that nobody knows is UTC, and said so beside each time.
    pub fn new(currency: &str, time_zone: &str, language: Language) -> Self {
        Self { currency: currency.into(), zone: time_zone.parse().unwrap_or(Tz::UTC), language }
    }

    /// `KES 12,500`, with cents only where there are some, as on the screens.
    pub fn money(&self, minor: i64) -> String {
        format!("{} {}", self.currency, self.amount(minor))
    }

    /// As [`Figures::money`], without the currency.
    pub fn amount(&self, minor: i64) -> String {
        let (sign, minor) = (if minor < 0 { "-" } else { "" }, minor.unsigned_abs());
        let whole = grouped(minor / 100);
        match minor % 100 {
            0 => format!("{sign}{whole}"),
            cents => format!("{sign}{whole}.{cents:02}"),
        }
    }

    /// `12,500`
    pub fn count(&self, number: i64) -> String {
        let sign = if number < 0 { "-" } else { "" };
        format!("{sign}{}", grouped(number.unsigned_abs()))
    }

    /// `4 March 2026`
    pub fn date(&self, at: Millis) -> String {
        self.local(at).map_or_else(String::new, |time| self.written(time.date_naive()))
    }

    /// `4 March 2026, 14:05`
    pub fn time(&self, at: Millis) -> String {
        let Some(time) = self.local(at) else { return String::new() };
        let zone = if self.zone == Tz::UTC { " UTC" } else { "" };
        format!("{}, {:02}:{:02}{zone}", self.written(time.date_naive()), time.hour(), time.minute())
    }

    /// A `2026-03-04` as `4 March 2026`; what is no day stays as it is.
    pub fn day(&self, day: &str) -> String {
        day.parse().map_or_else(|_| day.to_owned(), |day| self.written(day))
    }

    fn local(&self, at: Millis) -> Option<DateTime<Tz>> {
        DateTime::from_timestamp_millis(at).map(|time| time.with_timezone(&self.zone))
    }

    fn written(&self, day: NaiveDate) -> String {
        format!("{} {} {}", day.day(), MONTHS[day.month0() as usize][self.language as usize], day.year())
    }
}

fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_grouped_and_has_cents_only_where_there_are_some() {
        let figures = Figures::new("KES", "Africa/Nairobi", Language::En);
        for (minor, text) in [
            (0, "KES 0"),
            (100, "KES 1"),
            (99_900, "KES 999"),
            (1_250_000, "KES 12,500"),
            (12_345_678_905, "KES 123,456,789.05"),
            (-150, "KES -1.50"),
            (i64::MIN, "KES -92,233,720,368,547,758.08"),
        ] {
            assert_eq!(figures.money(minor), text);
        }
    }

    #[test]
    fn times_are_by_the_organisations_clock() {
        // 31 December 2025, 22:30 UTC.
        let at = 1_767_220_200_000;
        let written = |zone, language| Figures::new("KES", zone, language).time(at);
        assert_eq!(written("Africa/Nairobi", Language::En), "1 January 2026, 01:30");
        assert_eq!(written("Africa/Nairobi", Language::Sw), "1 Januari 2026, 01:30");
        assert_eq!(written("America/New_York", Language::En), "31 December 2025, 17:30");
        assert_eq!(written("Nowhere/Town", Language::Sw), "31 Desemba 2025, 22:30 UTC");
        let figures = Figures::new("KES", "Africa/Nairobi", Language::Sw);
        assert_eq!((figures.day("2026-08-09"), figures.day("soon")), ("9 Agosti 2026".into(), "soon".into()));
        assert_eq!(figures.time(Millis::MAX), "");
    }
}
