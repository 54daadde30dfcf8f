// What views ask about visits, and what waits for a supervisor.
import type { Conflict, Evidence, Household, Id, Person, Signature, Visit } from '../api/records'
import { readMeta } from '../db/account'
import { conflicts } from './households'
import { about, inState, one } from './records'

export interface VisitView {
  visit: Visit
  household: Household | null
  evidence: Evidence[]
  /** Superseded evidence, latest first. */
  earlier: Evidence[]
  signatures: Signature[]
  conflicts: Conflict[]
}

export async function visit(id: Id): Promise<VisitView | null> {
  const found = await one('visit', id)
  if (!found) return null
  const [home, evidence, signatures, open] = await Promise.all([
    one('household', found.household),
    about('evidence', id),
    about('signature', id),
    conflicts(found.household),
  ])
  evidence.sort((a, b) => a.captured_at - b.captured_at)
  return {
    visit: found,
    household: home,
    evidence: evidence.filter(({ superseded_by }) => !superseded_by),
    earlier: evidence.filter(({ superseded_by }) => superseded_by).reverse(),
    signatures: signatures.filter(({ superseded_by }) => !superseded_by),
    conflicts: open,
  }
}

/** Latest first. */
export async function visitsOf(household: Id): Promise<Visit[]> {
  return (await about('visit', household)).sort((a, b) => when(b) - when(a))
}

export const when = (visit: Visit): number =>
  visit.submitted_at ?? visit.started_at ?? visit.planned_at ?? visit.created_at

export interface QueueItem {
  visit: Visit
  household: Household | null
  mentor: Person | null
  evidence: Evidence[]
  signed: boolean
}

/** Submitted visits of others, those that wait longest first. */
export async function queue(): Promise<QueueItem[]> {
  const me = (await readMeta('session'))?.member.id
  const submitted = (await inState('visit', 'submitted'))
    .filter(({ mentor }) => mentor !== me)
    .sort((a, b) => (a.submitted_at ?? 0) - (b.submitted_at ?? 0))
  return Promise.all(
    submitted.map(async (found) => {
      const [home, mentor, evidence, signatures] = await Promise.all([
        one('household', found.household),
        one('person', found.mentor),
        about('evidence', found.id),
        about('signature', found.id),
      ])
      return {
        visit: found,
        household: home,
        mentor,
        evidence: evidence.filter(({ superseded_by }) => !superseded_by),
        signed: signatures.some(({ superseded_by }) => !superseded_by),
      }
    }),
  )
}
