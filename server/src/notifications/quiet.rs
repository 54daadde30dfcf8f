//! Times of day where an organisation is: when quiet hours end, and when a reminder is due.
//!
//! A clock that is put forward skips an hour, one that is put back has one twice: what falls into the gap is due when it
//! ends, what there is twice is due the first time.

use chrono::{DateTime, Days, Duration, LocalResult, NaiveDate, NaiveDateTime, TimeZone, Timelike};
use chrono_tz::Tz;

use crate::clock::Millis;

/// Minutes after midnight.
pub type Minutes = i64;

/// Between two times of day; over midnight when the first is the later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    pub from: Minutes,
    pub until: Minutes,
}

impl Quiet {
    /// As they are kept.
    pub fn of(from: Option<Minutes>, until: Option<Minutes>) -> Option<Self> {
        from.zip(until).map(|(from, until)| Self { from, until })
    }

    /// When the quiet hours that hold at `now` end; nothing outside of them.
    pub fn ends(self, now: Millis, zone: Tz) -> Option<Millis> {
        let here = DateTime::from_timestamp_millis(now)?.with_timezone(&zone);
        let minute = Minutes::from(here.hour() * 60 + here.minute());
        let Self { from, until } = self;
        let (quiet, next_day) = match from.cmp(&until) {
            std::cmp::Ordering::Equal => (false, false),
            std::cmp::Ordering::Less => ((from..until).contains(&minute), false),
            std::cmp::Ordering::Greater => (minute >= from || minute < until, minute >= from),
        };
        let day = if next_day { here.date_naive().checked_add_days(Days::new(1))? } else { here.date_naive() };
        // In the hour that comes twice the end may lie behind already.
        quiet.then(|| at(zone, day, until)).flatten().filter(|end| *end > now)
    }
}

/// The instant of a time of day.
pub fn at(zone: Tz, day: NaiveDate, minutes: Minutes) -> Option<Millis> {
    let local = day.and_hms_opt(0, 0, 0)? + Duration::minutes(minutes);
    instant(zone, local)
}

fn instant(zone: Tz, local: NaiveDateTime) -> Option<Millis> {
    // No clock was ever put forward by more than a day.
    (0..=24 * 4).find_map(|quarters| match zone.from_local_datetime(&(local + Duration::minutes(15 * quarters))) {
        LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time.timestamp_millis()),
        LocalResult::None => None,
    })
}

/// The day that it is there.
pub fn day(zone: Tz, now: Millis) -> Option<NaiveDate> {
    Some(DateTime::from_timestamp_millis(now)?.with_timezone(&zone).date_naive())
}

/// `21:30` as minutes after midnight.
pub fn parse(text: &str) -> Option<Minutes> {
    let (hours, minutes) = text.split_once(':').filter(|_| text.len() == 5)?;
    let (hours, minutes): (Minutes, Minutes) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..24).contains(&hours) && (0..60).contains(&minutes)).then_some(hours * 60 + minutes)
}

pub fn shown(minutes: Minutes) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use super::*;

    const NIGHT: Quiet = Quiet { from: 21 * 60, until: 6 * 60 };

    fn utc(text: &str) -> Millis {
        DateTime::parse_from_rfc3339(text).unwrap().timestamp_millis()
    }

    fn ends(quiet: Quiet, zone: Tz, now: &str) -> Option<String> {
        let end = quiet.ends(utc(now), zone)?;
        Some(DateTime::from_timestamp_millis(end).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string())
    }

    #[test]
    fn a_night_ends_in_the_morning_of_the_organisation() {
        let nairobi = Tz::Africa__Nairobi;
        assert_eq!(ends(NIGHT, nairobi, "2026-11-29T17:59:59Z"), None, "20:59 there");
        assert_eq!(ends(NIGHT, nairobi, "2026-11-29T18:00:00Z").unwrap(), "2026-11-30T03:00:00Z");
        assert_eq!(ends(NIGHT, nairobi, "2026-11-29T22:30:00Z").unwrap(), "2026-11-30T03:00:00Z", "after midnight there");
        assert_eq!(ends(NIGHT, nairobi, "2026-11-30T03:00:00Z"), None, "6:00 is not quiet");
        // The same moment elsewhere.
        assert_eq!(ends(NIGHT, Tz::Asia__Manila, "2026-11-29T22:30:00Z"), None);
    }

    #[test]
    fn hours_within_a_day_and_none() {
        let noon = Quiet { from: 12 * 60, until: 14 * 60 };
        assert_eq!(ends(noon, Tz::UTC, "2026-11-29T13:59:00Z").unwrap(), "2026-11-29T14:00:00Z");
        assert_eq!(ends(noon, Tz::UTC, "2026-11-29T14:00:00Z"), None);
        assert_eq!(ends(Quiet { from: 300, until: 300 }, Tz::UTC, "2026-11-29T05:00:00Z"), None);
    }

    #[test]
    fn clocks_that_are_put_forward_and_back() {
        let berlin = Tz::Europe__Berlin;
        // Forward on 29 March at 2:00, to 3:00: a night that ends at 2:30 ends at 3:00, an hour from 1:00.
        let early = Quiet { from: 22 * 60, until: 2 * 60 + 30 };
        assert_eq!(ends(early, berlin, "2026-03-29T00:00:00Z").unwrap(), "2026-03-29T01:00:00Z");
        // The morning is an hour nearer.
        assert_eq!(ends(NIGHT, berlin, "2026-03-28T21:00:00Z").unwrap(), "2026-03-29T04:00:00Z");
        assert_eq!(ends(NIGHT, berlin, "2026-03-27T21:00:00Z").unwrap(), "2026-03-28T05:00:00Z");
        // Back on 25 October at 3:00, to 2:00: what ends at 2:30 ends the first time.
        assert_eq!(ends(early, berlin, "2026-10-24T22:00:00Z").unwrap(), "2026-10-25T00:30:00Z");
        assert_eq!(ends(early, berlin, "2026-10-25T01:15:00Z"), None, "2:15 for the second time");
        assert_eq!(ends(NIGHT, berlin, "2026-10-24T20:00:00Z").unwrap(), "2026-10-25T05:00:00Z");
    }

    #[test]
    fn a_whole_day_that_a_country_left_out() {
        // Samoa went from 29 to 31 December 2011.
        let day = NaiveDate::from_ymd_opt(2011, 12, 30).unwrap();
        assert_eq!(at(Tz::Pacific__Apia, day, 0).unwrap(), utc("2011-12-30T10:00:00Z"));
    }

    #[test]
    fn times_as_people_type_them() {
        assert_eq!(parse("21:30"), Some(1290));
        for wrong in ["", "24:00", "7:00", "07:60", "-1:00", "07:0x", "07-00"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
        assert_eq!(shown(parse("06:05").unwrap()), "06:05");
    }
}
