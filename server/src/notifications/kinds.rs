//! The registry of what people are told: who hears of it, by what, how urgently, what happens when it stays unread, and the
//! words in each language. The words name nobody: lock screens and mailboxes are read by others.

use poem_openapi::Enum;
use serde::{Deserialize, Serialize};

use crate::auth::{Capabilities, Capability};
use crate::clock::{DAY, HOUR, Millis};

/// A way to a person outside of the app.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Enum, Serialize, Deserialize)]
#[oai(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    Push,
    Email,
    Sms,
}

impl Channel {
    pub const ALL: [Self; 3] = [Self::Push, Self::Email, Self::Sms];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Email => "email",
            Self::Sms => "sms",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == text)
    }
}

/// What a kind belongs to, where a person chooses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[oai(rename = "ToldGroup", rename_all = "snake_case")]
pub enum Group {
    Visits,
    Households,
    Grants,
    /// Colleagues and their phones.
    Team,
    /// That the installation runs.
    Running,
    /// A household's own grant.
    Own,
}

/// One thing that people are told.
#[derive(Debug)]
pub struct Kind {
    pub key: &'static str,
    /// Who hears of it, for whoever reads this.
    pub who: &'static str,
    pub way: Way,
    pub en: Words,
    pub sw: Words,
}

/// One sentence, and the one for several at once with `{n}` in it.
#[derive(Debug)]
pub struct Words {
    pub one: &'static str,
    pub many: Option<&'static str>,
}

/// How a kind travels.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// Unless the person chose otherwise.
    pub by: &'static [Channel],
    /// RFC 8030: low waits for a better moment of the phone.
    pub urgency: &'static str,
    /// After this it is not worth waking anybody.
    pub life: Millis,
    /// Several that wait make one message.
    pub together: bool,
    /// Unread for so long, the next channel is tried, and at last the supervisor is told.
    pub unread: Option<Millis>,
    /// Only roles with this can ever hear of it.
    pub of: Option<Capability>,
}

/// Good to know.
const NEWS: Way = Way { by: &[Channel::Push], urgency: "normal", life: 7 * DAY, together: false, unread: None, of: None };
/// Somebody must do something.
const ACT: Way = Way { unread: Some(24 * HOUR), ..NEWS };
/// Somebody waits for this person's decision; many do, often.
const WAITS: Way = Way { together: true, of: Some(Capability::DecideVisits), ..ACT };
/// What becomes of a household's own application, to the household.
const OWN: Way = Way { of: Some(Capability::ReadHome), ..ACT };
/// A day's work, told once for all of it.
const REMINDER: Way = Way { together: true, life: DAY, ..NEWS };

impl Kind {
    pub fn words(&self, language: &str) -> &Words {
        if language == "sw" { &self.sw } else { &self.en }
    }

    /// Whether somebody who may do this ever hears of it. A household hears of what is its own, and of nothing else.
    pub fn hears(&self, capabilities: Capabilities) -> bool {
        match self.way.of {
            Some(capability) => capabilities.has(capability),
            None => !capabilities.has(Capability::ReadHome),
        }
    }

    pub fn group(&self) -> Group {
        let of = |starts: &[&str]| starts.iter().any(|start| self.key.starts_with(start));
        match self.key {
            _ if of(&["visit_", "approvals_", "evidence_"]) => Group::Visits,
            _ if of(&["enrolment_", "consent_", "conflict_"]) => Group::Households,
            _ if of(&["grant_"]) => Group::Grants,
            _ if of(&["own_"]) => Group::Own,
            _ if of(&["device_", "colleague_"]) => Group::Team,
            _ => Group::Running,
        }
    }

    /// The kind with this key, if it is still one.
    pub fn of(key: &str) -> Option<&'static Self> {
        ALL.iter().copied().find(|kind| kind.key == key)
    }
}

impl Words {
    pub fn of(&self, n: i64) -> String {
        match self.many {
            Some(many) if n > 1 => many.replace("{n}", &n.to_string()),
            _ => self.one.to_owned(),
        }
    }
}

macro_rules! kinds {
    ($($name:ident = $key:literal, $who:literal, $way:expr, $en:literal $(| $en_many:literal)?, $sw:literal $(| $sw_many:literal)?;)*) => {
        $(pub static $name: Kind = Kind {
            key: $key,
            who: $who,
            way: $way,
            en: Words { one: $en, many: kinds!(@many $($en_many)?) },
            sw: Words { one: $sw, many: kinds!(@many $($sw_many)?) },
        };)*
        /// All there are.
        pub static ALL: &[&Kind] = &[$(&$name),*];
    };
    (@many) => { None };
    (@many $many:literal) => { Some($many) };
}

kinds! {
    VISIT_PLANNED = "visit_planned", "the mentor, planned for by another", ACT,
        "A visit was planned for you",
        "Umepangiwa ziara";
    VISIT_TOMORROW = "visit_tomorrow", "the mentor, at 17:00 the day before", REMINDER,
        "You have a visit tomorrow" | "You have {n} visits tomorrow",
        "Una ziara kesho" | "Una ziara {n} kesho";
    VISIT_TODAY = "visit_today", "the mentor, at 6:30", REMINDER,
        "You have a visit today" | "You have {n} visits today",
        "Una ziara leo" | "Una ziara {n} leo";
    VISIT_OVERDUE = "visit_overdue", "the mentor, at 8:00 the day after", Way { unread: Some(24 * HOUR), ..REMINDER },
        "A planned visit has not taken place" | "{n} planned visits have not taken place",
        "Ziara iliyopangwa haijafanyika" | "Ziara {n} zilizopangwa hazijafanyika";
    VISIT_SUBMITTED = "visit_submitted", "the mentor's supervisor", WAITS,
        "A visit waits for your decision" | "{n} visits wait for your decision",
        "Ziara inasubiri uamuzi wako" | "Ziara {n} zinasubiri uamuzi wako";
    VISIT_RETURNED = "visit_returned", "the mentor", ACT,
        "A visit came back to you with a note",
        "Ziara imerudishwa kwako ikiwa na maelezo";
    VISIT_APPROVED = "visit_approved", "the mentor", NEWS,
        "A visit of yours was approved",
        "Ziara yako imeidhinishwa";
    APPROVALS_WAITING = "approvals_waiting", "the supervisor, at 8:00, of what has waited for a day", Way { of: WAITS.of, ..REMINDER },
        "Visits have been waiting for your decision since yesterday or longer",
        "Kuna ziara zinazosubiri uamuzi wako tangu jana au zaidi";
    EVIDENCE_QUARANTINED = "evidence_quarantined", "whoever took the photo", ACT,
        "A photo could not be used",
        "Picha moja haikuweza kutumika";
    CONFLICT_OPENED = "conflict_opened", "the supervisors of the village", WAITS,
        "Two people changed the same household" | "{n} changes by two people wait to be settled",
        "Watu wawili wamebadilisha kaya moja" | "Mabadiliko {n} ya watu wawili yanasubiri kuamuliwa";
    CONSENT_WITHDRAWN = "consent_withdrawn", "whoever registered the household, and their supervisor", ACT,
        "A household has withdrawn its consent",
        "Kaya moja imeondoa idhini yake";
    ENROLMENT_APPROVED = "enrolment_approved", "the mentor", NEWS,
        "A household of yours was approved for a programme",
        "Kaya yako moja imeidhinishwa kwa mpango";
    ENROLMENT_REJECTED = "enrolment_rejected", "the mentor", ACT,
        "An application of yours was rejected",
        "Ombi lako moja limekataliwa";
    ENROLMENT_WAITLISTED = "enrolment_waitlisted", "the mentor", NEWS,
        "A household of yours is on the waiting list",
        "Kaya yako moja iko kwenye orodha ya kusubiri";
    ENROLMENT_TO_VERIFY = "enrolment_to_verify", "the mentor's supervisor", WAITS,
        "A home waits to be verified" | "{n} homes wait to be verified",
        "Kuna kaya inayosubiri kuthibitishwa" | "Kuna kaya {n} zinazosubiri kuthibitishwa";
    ENROLMENT_HANDED_OVER = "enrolment_handed_over", "the next mentor", ACT,
        "A household was handed to you",
        "Umekabidhiwa kaya moja";
    GRANT_SUBMITTED = "grant_submitted", "the supervisor of whoever submitted it", WAITS,
        "A grant waits for its review" | "{n} grants wait for their review",
        "Ruzuku inasubiri kukaguliwa" | "Ruzuku {n} zinasubiri kukaguliwa";
    GRANT_RETURNED = "grant_returned", "whoever submitted it, and their supervisor", ACT,
        "A grant came back to you with a note",
        "Ruzuku imerudishwa kwako ikiwa na maelezo";
    GRANT_RECOMMENDED = "grant_recommended", "whoever submitted it, and their supervisor", NEWS,
        "A grant was recommended",
        "Ruzuku imependekezwa";
    GRANT_TO_DECIDE = "grant_to_decide", "those who may approve it in that village: any, or within the policy's limit", Way { of: Some(Capability::ApproveWithin), ..WAITS },
        "A grant waits for your decision" | "{n} grants wait for your decision",
        "Ruzuku inasubiri uamuzi wako" | "Ruzuku {n} zinasubiri uamuzi wako";
    GRANT_APPROVED = "grant_approved", "whoever submitted it, and their supervisor", NEWS,
        "A grant was approved",
        "Ruzuku imeidhinishwa";
    GRANT_REJECTED = "grant_rejected", "whoever submitted it, and their supervisor", ACT,
        "A grant was rejected",
        "Ruzuku imekataliwa";
    GRANT_RELEASED = "grant_released", "whoever submitted it", ACT,
        "Money was released, to be handed over",
        "Fedha zimetolewa, zikabidhiwe";
    GRANT_ACKNOWLEDGED = "grant_acknowledged", "whoever submitted it", NEWS,
        "Money was received and signed for",
        "Fedha zimepokelewa na kutiwa sahihi";
    GRANT_FLAGGED = "grant_flagged", "whoever submitted it, and their supervisor", Way { urgency: "high", ..ACT },
        "A receipt of money did not count",
        "Kupokelewa kwa fedha hakukuhesabiwa";
    GRANT_USE_DUE = "grant_use_due", "whoever submitted it, a week before the day and on the day after it", ACT,
        "A report on the use of a grant is due",
        "Ripoti ya matumizi ya ruzuku inatakiwa";
    GRANT_USE_SUBMITTED = "grant_use_submitted", "the supervisor of whoever submitted it", WAITS,
        "A report on the use of a grant waits to be verified" | "{n} reports on the use of grants wait to be verified",
        "Ripoti ya matumizi ya ruzuku inasubiri kuhakikiwa" | "Ripoti {n} za matumizi ya ruzuku zinasubiri kuhakikiwa";
    GRANT_USE_RETURNED = "grant_use_returned", "whoever submitted it", ACT,
        "A report on the use of a grant came back",
        "Ripoti ya matumizi ya ruzuku imerudishwa";
    GRANT_VERIFIED = "grant_verified", "whoever submitted it", NEWS,
        "The use of a grant was verified",
        "Matumizi ya ruzuku yamehakikiwa";
    GRANT_CANCELLED = "grant_cancelled", "whoever submitted it, and their supervisor", ACT,
        "A grant was cancelled",
        "Ruzuku imefutwa";
    GRANT_EXPIRED = "grant_expired", "whoever submitted it", ACT,
        "A grant has expired",
        "Muda wa ruzuku umeisha";
    OWN_GRANT_SUBMITTED = "own_grant_submitted", "the households that apply, where they have an account", OWN,
        "Your application for a grant was handed in",
        "Ombi lako la ruzuku limewasilishwa";
    OWN_GRANT_RETURNED = "own_grant_returned", "the same", OWN,
        "Your application for a grant needs a change; your mentor will come back to you",
        "Ombi lako la ruzuku linahitaji marekebisho; mshauri wako atawasiliana nawe";
    OWN_GRANT_RECOMMENDED = "own_grant_recommended", "the same", OWN,
        "Your application for a grant was looked at and waits for a decision",
        "Ombi lako la ruzuku limekaguliwa na linasubiri uamuzi";
    OWN_GRANT_APPROVED = "own_grant_approved", "the same", OWN,
        "Your grant was approved",
        "Ruzuku yako imeidhinishwa";
    OWN_GRANT_REJECTED = "own_grant_rejected", "the same", OWN,
        "Your application for a grant was not approved",
        "Ombi lako la ruzuku halikuidhinishwa";
    OWN_GRANT_RELEASED = "own_grant_released", "the same, of each part of the money", OWN,
        "Money of your grant is on its way to you",
        "Fedha za ruzuku yako ziko njiani kukufikia";
    OWN_GRANT_RECEIVED = "own_grant_received", "the same, of each part of the money", Way { urgency: "high", ..OWN },
        "It was written down that you received money; say so if you did not",
        "Imeandikwa kwamba umepokea fedha; sema kama hukuzipokea";
    OWN_GRANT_USE_DUE = "own_grant_use_due", "the same, a week before the day", OWN,
        "A report on how you used your grant is due",
        "Ripoti ya jinsi ulivyotumia ruzuku yako inatakiwa";
    OWN_GRANT_VERIFIED = "own_grant_verified", "the same", OWN,
        "The use of your grant was confirmed",
        "Matumizi ya ruzuku yako yamethibitishwa";
    OWN_GRANT_CANCELLED = "own_grant_cancelled", "the same", OWN,
        "Your grant was cancelled",
        "Ruzuku yako imefutwa";
    OWN_GRANT_EXPIRED = "own_grant_expired", "the same", OWN,
        "Your grant has expired",
        "Muda wa ruzuku yako umeisha";
    TRAINING_TOMORROW = "training_tomorrow", "the trainer, mentors of those invited, and those with an account, at 17:00 the day before", REMINDER,
        "You have a training tomorrow" | "You have {n} trainings tomorrow",
        "Una mafunzo kesho" | "Una mafunzo {n} kesho";
    TRAINING_TODAY = "training_today", "the trainer, mentors of those invited, and those with an account, at 6:30", REMINDER,
        "You have a training today" | "You have {n} trainings today",
        "Una mafunzo leo" | "Una mafunzo {n} leo";
    TRAINING_MOVED = "training_moved", "whoever was reminded of it", Way { urgency: "high", ..NEWS },
        "A training takes place at another time",
        "Mafunzo yatafanyika wakati mwingine";
    TRAINING_CANCELLED = "training_cancelled", "whoever was reminded of it", Way { urgency: "high", ..NEWS },
        "A training was cancelled",
        "Mafunzo yamefutwa";
    CERTIFICATE_EXPIRING = "certificate_expiring", "whose it is and their supervisor, 30 and 7 days before and on the day", Way { of: Some(Capability::ReadMembers), ..ACT },
        "A certificate is about to expire",
        "Cheti kinakaribia kuisha muda";
    TLS_EXPIRING = "tls_expiring", "the administrators, 21 and 7 days before", Way { urgency: "high", of: Some(Capability::ManageMembers), ..ACT },
        "The certificate of the server's address is about to expire",
        "Cheti cha anwani ya seva kinakaribia kuisha muda";
    DEVICE_SILENT = "device_silent", "the supervisor of whoever works on it", Way { of: WAITS.of, ..ACT },
        "A phone with photos that have not arrived has been silent for days",
        "Simu yenye picha ambazo hazijafika imekaa kimya kwa siku kadhaa";
    BACKUP_FAILED = "backup_failed", "the administrators, each day until one is made", Way { urgency: "high", of: Some(Capability::ManageMembers), ..ACT },
        "The daily backup failed",
        "Hifadhi ya kila siku imeshindikana";
    COLLEAGUE_UNREAD = "colleague_unread", "the supervisor of whoever did not read it", Way { of: WAITS.of, together: true, ..NEWS },
        "Somebody in your team has not read what they must act on" | "{n} messages to your team must be acted on and were not read",
        "Mtu wa timu yako hajasoma jambo analopaswa kulishughulikia" | "Jumbe {n} kwa timu yako zinahitaji hatua na hazijasomwa";
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on says where")]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_there_once_with_words_that_name_nobody() {
        for (n, kind) in ALL.iter().enumerate() {
            assert!(ALL[..n].iter().all(|other| other.key != kind.key), "{} stands twice", kind.key);
            assert!(std::ptr::eq(Kind::of(kind.key).unwrap(), *kind));
            for words in [&kind.en, &kind.sw] {
                assert!(!words.one.is_empty() && !words.one.contains('{'), "{}", kind.key);
                assert!(
                    words.many.is_none_or(|many| many.matches("{n}").count() == 1 && !many.replace("{n}", "").contains('{'))
                );
            }
            assert_eq!(kind.en.many.is_some(), kind.sw.many.is_some(), "{}", kind.key);
            assert!(!kind.who.is_empty());
        }
    }

    #[test]
    fn several_are_counted_in_words() {
        assert_eq!(VISIT_SUBMITTED.en.of(1), "A visit waits for your decision");
        assert_eq!(VISIT_SUBMITTED.en.of(12), "12 visits wait for your decision");
        assert_eq!(VISIT_SUBMITTED.words("sw").of(12), "Ziara 12 zinasubiri uamuzi wako");
        assert_eq!(VISIT_RETURNED.en.of(3), VISIT_RETURNED.en.one);
    }
}
