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
