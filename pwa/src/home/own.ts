// What belongs to a household, in the form in which it is shown to it: from the server for its own account, and from this
// phone's records when a mentor shows it.
import type { Grant, GrantState, Text, TrancheState } from '../api/grants'
import type { ownHome } from '../api/admin'
import type { Id, Language, Millis, Signature } from '../api/records'
import { DAY, now } from '../clock'
import { about, every, one } from '../queries/records'

export interface OwnPart {
  id: Id
  number: number
  amount_minor: number
  state: TrancheState
  /** When it was paid or received. */
  at: Millis | null
  /** Its acknowledgement. */
  receipt: Id | null
}
export interface OwnGrant {
  id: Id
  number: string | null
  name: Text
  state: GrantState
  amount_minor: number
  parts: OwnPart[]
  /** `YYYY-MM-DD`, while a report on its use is awaited. */
  use_due: string | null
}
export interface OwnSigned {
  id: Id
  signer_name: string
  statement: string
  language: string
  signed_at: Millis
}
export interface Own {
  name: string
  next: { at: Millis | null; mentor: string } | null
  grants: OwnGrant[]
  signed: OwnSigned[]
  consent_at: Millis | null
}

type Home = Awaited<ReturnType<typeof ownHome>>

export const fromServer = (home: Home): Own => ({
  name: home.household.head_name,
  next: home.next_visit ? { at: home.next_visit.planned_at ?? null, mentor: home.next_visit.mentor_name } : null,
  grants: home.grants.map((grant) => ({
    ...grant,
    number: grant.number ?? null,
    state: grant.state as GrantState,
    parts: grant.parts.map((part) => ({ ...part, state: part.state as TrancheState, at: part.at ?? null, receipt: part.receipt ?? null })),
    use_due: grant.use_due ?? null,
  })),
  signed: home.signatures,
  consent_at: home.household.consent_at ?? null,
})

/** Nothing of anybody else: a group's grant shows what was asked and paid, and of the signatures only the own ones. */
export async function fromRecords(household: Id): Promise<Own | null> {
  const home = await one('household', household)
  if (!home) return null
  const [visits, all] = await Promise.all([about('visit', household), every('grant')])
  const grants = all.filter(({ households }) => households.includes(household)).sort((a, b) => b.submitted_at - a.submitted_at)
  const next = visits
    .filter(({ state, planned_at }) => state === 'planned' && (planned_at ?? 0) >= now() - DAY)
    .sort((a, b) => a.planned_at! - b.planned_at!)[0]
  const received = (await Promise.all(grants.map(({ id }) => about('acknowledgement', id)))).flat()
  const alone = new Set(grants.filter(({ households }) => households.length === 1).map(({ id }) => id))
  const subjects: { id: Id; shared: boolean }[] = [
    { id: household, shared: false },
    ...visits.map(({ id }) => ({ id, shared: false })),
    ...grants.map(({ id }) => ({ id, shared: !alone.has(id) })),
    ...received.map(({ id, grant }) => ({ id, shared: !alone.has(grant) })),
  ]
  const signed = await Promise.all(
    subjects.map(async ({ id, shared }) =>
      (await about('signature', id)).filter((one) => !one.superseded_by && (!shared || one.signer_name === home.head_name)),
    ),
  )
  return {
    name: home.head_name,
    next: next ? { at: next.planned_at, mentor: (await one('person', next.mentor))?.name ?? '' } : null,
    grants: grants.map(ownGrant),
    signed: signed.flat().sort((a, b) => b.signed_at - a.signed_at),
    consent_at: home.consent_at,
  }
}

const ownGrant = ({ id, number, policy, state, amount, tranches, utilisation }: Grant): OwnGrant => ({
  id,
  number,
  name: policy.name,
  state,
  amount_minor: amount.amount_minor,
  parts: tranches
    .filter((part) => part.state !== 'reversed')
    .map((part) => ({
      id: part.id,
      number: part.number,
      amount_minor: part.amount_minor,
      state: part.state,
      at: part.acknowledged_at ?? part.released_at,
      receipt: part.acknowledgement,
    })),
  use_due: utilisation && (utilisation.state === 'due' || utilisation.state === 'returned') ? utilisation.due_on : null,
})

/** In which language the household was last spoken to: that of its latest signature. */
export function languageOf(signed: Pick<Signature, 'language' | 'signed_at'>[] | OwnSigned[], otherwise: Language): Language {
  const last = [...signed].sort((a, b) => b.signed_at - a.signed_at)[0]?.language
  return last === 'en' || last === 'sw' ? last : otherwise
}
