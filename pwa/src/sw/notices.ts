// The few words a notification shows: no names, because a lock screen is public.

import type { InboxKind } from '../api/records'

export interface Payload {
  v?: number
  kind?: string
  inbox?: string
  url?: string
  at?: number
}

const WORDS: Record<'en' | 'sw', Record<InboxKind | 'test' | 'other', string>> = {
  en: {
    visit_submitted: 'A visit waits for your decision',
    visit_returned: 'A visit came back to you with a note',
    visit_approved: 'A visit of yours was approved',
    visit_planned: 'A visit was planned for you',
    evidence_quarantined: 'A photo could not be used',
    conflict_opened: 'Two people changed the same household',
    enrolment_approved: 'A household of yours was approved for a programme',
    enrolment_rejected: 'An application of yours was rejected',
    enrolment_waitlisted: 'A household of yours is on the waiting list',
    enrolment_to_verify: 'A home waits to be verified',
    enrolment_handed_over: 'A household was handed to you',
    consent_withdrawn: 'A household has withdrawn its consent',
    grant_submitted: 'A grant waits for its review',
    grant_returned: 'A grant came back to you with a note',
    grant_recommended: 'A grant waits for your decision',
    grant_approved: 'A grant was approved',
    grant_rejected: 'A grant was rejected',
    grant_released: 'Money was released, to be handed over',
    grant_acknowledged: 'Money was received and signed for',
    grant_flagged: 'A receipt of money did not count',
    grant_use_due: 'A report on the use of a grant is due',
    grant_use_submitted: 'A report on the use of a grant waits to be verified',
    grant_use_returned: 'A report on the use of a grant came back',
    grant_verified: 'The use of a grant was verified',
    grant_cancelled: 'A grant was cancelled',
    grant_expired: 'A grant has expired',
    test: 'Notifications work on this phone',
    other: 'There is news for you',
  },
  sw: {
    visit_submitted: 'Ziara inasubiri uamuzi wako',
    visit_returned: 'Ziara imerudishwa kwako ikiwa na maelezo',
    visit_approved: 'Ziara yako imeidhinishwa',
    visit_planned: 'Umepangiwa ziara',
    evidence_quarantined: 'Picha moja haikuweza kutumika',
    conflict_opened: 'Watu wawili wamebadilisha kaya moja',
    enrolment_approved: 'Kaya yako moja imeidhinishwa kwa mpango',
    enrolment_rejected: 'Ombi lako moja limekataliwa',
    enrolment_waitlisted: 'Kaya yako moja iko kwenye orodha ya kusubiri',
    enrolment_to_verify: 'Kuna kaya inayosubiri kuthibitishwa',
    enrolment_handed_over: 'Umekabidhiwa kaya moja',
    consent_withdrawn: 'Kaya moja imeondoa idhini yake',
    grant_submitted: 'Ruzuku inasubiri kukaguliwa',
    grant_returned: 'Ruzuku imerudishwa kwako ikiwa na maelezo',
    grant_recommended: 'Ruzuku inasubiri uamuzi wako',
    grant_approved: 'Ruzuku imeidhinishwa',
    grant_rejected: 'Ruzuku imekataliwa',
    grant_released: 'Fedha zimetolewa, zikabidhiwe',
    grant_acknowledged: 'Fedha zimepokelewa na kutiwa sahihi',
    grant_flagged: 'Kupokelewa kwa fedha hakukuhesabiwa',
    grant_use_due: 'Ripoti ya matumizi ya ruzuku inatakiwa',
    grant_use_submitted: 'Ripoti ya matumizi ya ruzuku inasubiri kuhakikiwa',
    grant_use_returned: 'Ripoti ya matumizi ya ruzuku imerudishwa',
    grant_verified: 'Matumizi ya ruzuku yamehakikiwa',
    grant_cancelled: 'Ruzuku imefutwa',
    grant_expired: 'Muda wa ruzuku umeisha',
    test: 'Arifa zinafanya kazi kwenye simu hii',
    other: 'Kuna habari zako mpya',
  },
}

export function noticeFor({ kind }: Payload, language: 'en' | 'sw'): { title: string; body: string } {
  const words = WORDS[language] ?? WORDS.en
  return { title: 'Kilele', body: words[(kind ?? 'other') as InboxKind] ?? words.other }
}

/** A payload that cannot be read still becomes a notice. */
export function readPayload(text: string | undefined): Payload {
  try {
    const payload = JSON.parse(text ?? '{}') as unknown
    return typeof payload === 'object' && payload ? payload : {}
  } catch {
    return {}
  }
}
