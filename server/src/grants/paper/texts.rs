//! What stands on a grant's paper, in both languages of the product.

use crate::paper::Language;

macro_rules! texts {
    ($($name:ident: $en:literal, $sw:literal;)*) => {
        pub struct Texts {
            $(pub $name: &'static str,)*
        }

        const EN: Texts = Texts { $($name: $en,)* };
        const SW: Texts = Texts { $($name: $sw,)* };

        #[cfg(test)]
        const ALL: &[(&str, &str, &str)] = &[$((stringify!($name), $en, $sw),)*];
    };
}

texts! {
    grant_file: "Grant file", "Faili la ruzuku";
    receipt: "Receipt", "Stakabadhi";
    no_number: "without a number yet", "bado haina namba";
    printed: "Printed", "Imechapishwa";
    version: "version", "toleo";
    amount: "Amount", "Kiasi";
    state: "State", "Hali";
    applicant: "Applicant", "Mwombaji";
    applicants: "Applicants", "Waombaji";
    group: "Business group", "Kikundi cha biashara";
    household: "Household", "Kaya";
    role: "Role", "Wadhifa";
    village: "Village", "Kijiji";
    programme: "Programme", "Programu";
    policy: "Kind of grant", "Aina ya ruzuku";
    submitted_by: "Submitted by", "Aliyewasilisha";
    submitted_at: "Submitted on", "Tarehe ya kuwasilisha";
    note: "Note", "Maelezo";
    application: "Application", "Ombi";
    plan: "Business plan", "Mpango wa biashara";
    income: "Expected income a month", "Mapato yanayotarajiwa kwa mwezi";
    expenses: "Expenses a month", "Matumizi kwa mwezi";
    startup: "Start-up costs", "Gharama za kuanzia";
    item: "What for", "Kwa ajili ya";
    quantity: "Quantity", "Idadi";
    unit: "Each", "Bei ya kimoja";
    total: "Total", "Jumla";
    no_items: "Nothing is listed.", "Hakuna kilichoorodheshwa.";
    counting: "How the amount came about", "Kiasi kilivyopatikana";
    question: "Question", "Swali";
    answer: "Answer", "Jibu";
    step: "Step", "Hatua";
    factor: "Factor", "Kizidishi";
    result: "Result", "Matokeo";
    base: "Base amount", "Kiasi cha msingi";
    counted: "Counted", "Kilichokokotolewa";
    least: "Raised to the least amount", "Kimepandishwa hadi kiwango cha chini";
    most: "Lowered to the most amount", "Kimeshushwa hadi kiwango cha juu";
    phone_amount: "The phone had counted", "Simu ilikokotoa";
    decisions: "Decisions", "Maamuzi";
    by_time: "Time ran out", "Muda kuisha";
    when: "When", "Lini";
    what: "What", "Jambo";
    who: "Who", "Nani";
    score: "Score", "Alama";
    reason: "Reason", "Sababu";
    no_decisions: "Nobody has decided anything yet.", "Bado hakuna uamuzi.";
    payments: "Payments", "Malipo";
    part: "Part", "Sehemu";
    of: "of", "kati ya";
    method: "Paid by", "Njia ya malipo";
    paid_on: "Paid on", "Tarehe ya kulipa";
    released_by: "Released by", "Aliyetoa fedha";
    no_payments: "Nothing has been paid yet.", "Bado hakuna malipo.";
    acknowledgements: "Receipt of the money", "Kupokea fedha";
    received_on: "Received on", "Tarehe ya kupokea";
    received_by: "Received by", "Aliyepokea";
    recorded_by: "Recorded by", "Aliyeandika";
    position: "Position", "Mahali (GPS)";
    not_counted: "Not counted", "Haijahesabiwa";
    no_acknowledgements: "Nobody has confirmed receiving money yet.", "Bado hakuna aliyethibitisha kupokea fedha.";
    utilisation: "Use of the grant", "Matumizi ya ruzuku";
    due_on: "Report due on", "Ripoti inatakiwa tarehe";
    spent: "Spent", "Zilizotumika";
    spent_on: "Day", "Siku";
    not_spent: "Not accounted for", "Zisizoelezwa";
    reported_by: "Reported by", "Aliyeripoti";
    decided_by: "Decided by", "Aliyeamua";
    no_utilisation: "No report is due yet.", "Bado hakuna ripoti inayotakiwa.";
    photos: "Photos", "Picha";
    no_photos: "There are no photos.", "Hakuna picha.";
    photo_missing: "This photo has not arrived yet.", "Picha hii bado haijafika.";
    photo_set_aside: "This file was set aside and is not shown.", "Faili hili limewekwa kando na halionyeshwi.";
    more_photos: "more photos, listed with their hashes below", "picha zaidi, zimeorodheshwa na hash zake hapa chini";
    signature: "Signature", "Sahihi na.";
    signatures: "Signatures", "Sahihi";
    no_signatures: "Nobody has signed yet.", "Bado hakuna aliyetia sahihi.";
    signature_of: "Signature of", "Sahihi ya";
    signature_missing: "The signature cannot be shown.", "Sahihi haiwezi kuonyeshwa.";
    signed_by: "Signed by", "Aliyetia sahihi";
    witness: "Witness", "Shahidi";
    signed_at: "Signed on", "Tarehe ya sahihi";
    arrived_at: "Arrived on", "Iliwasili";
    shown_in: "Language shown", "Lugha iliyoonyeshwa";
    check: "Check", "Ukaguzi";
    verified: "Unchanged: text, strokes, keys and chain fit", "Haijabadilishwa: maneno, mistari, funguo na mnyororo vinalingana";
    not_verified: "DOES NOT FIT. Do not rely on this signature.", "HAILINGANI. Usiitegemee sahihi hii.";
    proofs: "Proofs", "Uthibitisho";
    proofs_text: "Each photo and each signature has a hash: a number made of all its bytes. Whoever changes one byte changes \
                  the hash. The server signs each signature's hash together with the one before it, so that none can be \
                  taken away or put in between. The administrators of the system can check all of it.",
        "Kila picha na kila sahihi ina hash: namba inayotokana na kila sehemu yake. Ukibadilisha hata sehemu ndogo, hash \
         hubadilika. Seva hutia sahihi hash ya kila sahihi pamoja na iliyotangulia, ili isiwezekane kuondoa wala kuingiza \
         nyingine katikati. Wasimamizi wa mfumo wanaweza kukagua yote.";
    thing: "Photo or signature", "Picha au sahihi";
    chain: "Place in the chain", "Nafasi katika mnyororo";
    server_signature: "The server's signature", "Sahihi ya seva";
    device_key: "Key of the device", "Ufunguo wa kifaa";
    no_device_key: "none", "hakuna";
    chains: "Chains and key", "Minyororo na ufunguo";
    hash_or_key: "Hash or key", "Hash au ufunguo";
    signature_head: "Last signature of the village", "Sahihi ya mwisho ya kijiji";
    audit_head: "Last entry in the village's log", "Ingizo la mwisho katika kumbukumbu za kijiji";
    server_key: "The server's key", "Ufunguo wa seva";
    keep: "Keep this receipt.", "Hifadhi stakabadhi hii.";
    scan: "A colleague's phone reads this code and checks the receipt, also without a network.",
        "Simu ya mfanyakazi husoma msimbo huu na kukagua stakabadhi, hata bila mtandao.";
    code: "Code with which the receipt is checked", "Msimbo wa kukagua stakabadhi";
    receipt_not_counted: "This receipt is kept but not counted:", "Stakabadhi hii imehifadhiwa lakini haijahesabiwa:";
}

impl Texts {
    pub fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Sw => &SW,
        }
    }
}

/// Kind, key, and both languages.
const WORDS: &[(&str, &str, &str, &str)] = &[
    ("state", "draft", "Draft", "Rasimu"),
    ("state", "submitted", "Submitted", "Imewasilishwa"),
    ("state", "in_review", "In review", "Inakaguliwa"),
    ("state", "recommended", "Recommended", "Imependekezwa"),
    ("state", "approved", "Approved", "Imeidhinishwa"),
    ("state", "disbursing", "Being paid", "Inalipwa"),
    ("state", "disbursed", "Paid", "Imelipwa"),
    ("state", "utilised", "Use verified", "Matumizi yamethibitishwa"),
    ("state", "closed", "Closed", "Imefungwa"),
    ("state", "returned", "Returned", "Imerudishwa"),
    ("state", "rejected", "Rejected", "Imekataliwa"),
    ("state", "cancelled", "Cancelled", "Imefutwa"),
    ("state", "expired", "Expired", "Muda umeisha"),
    ("event", "submit", "Submitted", "Imewasilishwa"),
    ("event", "review", "Review begun", "Ukaguzi umeanza"),
    ("event", "recommend", "Recommended", "Imependekezwa"),
    ("event", "return", "Returned", "Imerudishwa"),
    ("event", "approve", "Approved", "Imeidhinishwa"),
    ("event", "reject", "Rejected", "Imekataliwa"),
    ("event", "cancel", "Cancelled", "Imefutwa"),
    ("event", "expire", "Expired", "Muda umeisha"),
    ("event", "release", "Money released", "Fedha zimetolewa"),
    ("event", "receive", "Receipt confirmed", "Kupokelewa kumethibitishwa"),
    ("event", "undo", "Payment taken back", "Malipo yametenguliwa"),
    ("event", "utilise", "Use verified", "Matumizi yamethibitishwa"),
    ("event", "close", "Closed", "Imefungwa"),
    ("tranche", "scheduled", "Planned", "Imepangwa"),
    ("tranche", "released", "Paid, not yet confirmed", "Imelipwa, haijathibitishwa"),
    ("tranche", "acknowledged", "Received", "Imepokelewa"),
    ("tranche", "disputed", "Disputed", "Ina utata"),
    ("tranche", "failed", "Failed", "Imeshindikana"),
    ("tranche", "reversed", "Reversed", "Imetenguliwa"),
    ("method", "bank", "Bank transfer", "Benki"),
    ("method", "mobile_money", "Mobile money", "Pesa kwa simu"),
    ("method", "cash", "Cash", "Pesa taslimu"),
    ("method", "cheque", "Cheque", "Hundi"),
    ("utilisation", "due", "Not reported yet", "Bado haijaripotiwa"),
    ("utilisation", "submitted", "Reported, not yet verified", "Imeripotiwa, haijathibitishwa"),
    ("utilisation", "returned", "Returned for correction", "Imerudishwa irekebishwe"),
    ("utilisation", "verified", "Verified", "Imethibitishwa"),
    ("flag", "not_released", "the part had not been paid", "sehemu hii ilikuwa haijalipwa"),
    ("flag", "cancelled", "the grant was cancelled", "ruzuku ilikuwa imefutwa"),
    ("flag", "reversed", "the payment was reversed", "malipo yalikuwa yametenguliwa"),
    ("flag", "other_amount", "the amount is another", "kiasi ni tofauti"),
    ("flag", "twice", "it was confirmed before", "ilithibitishwa awali"),
    ("flag", "disputed", "the part is disputed", "sehemu hii ina utata"),
    ("flag", "failed", "the payment failed", "malipo yalishindikana"),
    ("member", "leader", "Leader", "Kiongozi"),
    ("member", "treasurer", "Treasurer", "Mweka hazina"),
    ("member", "secretary", "Secretary", "Katibu"),
    ("member", "member", "Member", "Mwanachama"),
    ("slot", "front", "Person", "Mtu"),
    ("slot", "back", "Surroundings", "Mazingira"),
    ("slot", "subject", "Subject", "Kinachohusika"),
    ("slot", "site", "Place", "Mahali"),
    ("slot", "id_front", "Identity card, front", "Kitambulisho, mbele"),
    ("slot", "id_back", "Identity card, back", "Kitambulisho, nyuma"),
    ("slot", "receipt", "Receipt", "Risiti"),
    ("slot", "document", "Document", "Hati"),
    ("slot", "signature", "Thumb mark", "Alama ya dole gumba"),
    ("signer", "beneficiary", "Beneficiary", "Mnufaika"),
    ("signer", "witness", "Witness", "Shahidi"),
    ("signer", "mentor", "Mentor", "Mshauri"),
    ("language", "en", "English", "Kiingereza"),
    ("language", "sw", "Swahili", "Kiswahili"),
];

/// A key in words; one that has none stays as it is.
pub fn word<'a>(language: Language, kind: &str, key: &'a str) -> &'a str {
    let found = WORDS.iter().find(|(of, word, ..)| (*of, *word) == (kind, key));
    found.map_or(key, |(_, _, en, sw)| if language == Language::En { en } else { sw })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_languages_are_complete() {
        for (name, en, sw) in ALL {
            assert!(!en.trim().is_empty() && !sw.trim().is_empty(), "{name}");
            assert_ne!(en, sw, "{name}");
        }
        for (kind, key, en, sw) in WORDS {
            assert!(!en.trim().is_empty() && !sw.trim().is_empty() && en != sw, "{kind} {key}");
            assert_eq!(WORDS.iter().filter(|(of, word, ..)| (of, word) == (kind, key)).count(), 1, "{kind} {key}");
        }
    }

    #[test]
    fn keys_are_put_in_words() {
        assert_eq!(word(Language::En, "state", "disbursing"), "Being paid");
        assert_eq!(word(Language::Sw, "method", "cash"), "Pesa taslimu");
        assert_eq!(word(Language::Sw, "state", "of a later version"), "of a later version");
    }
}
