// Households whose next step of the ladder is late: a mentor's own, or those of the places that somebody else sees.
import type { Enrolment, Household } from '../api/records'
import { now } from '../clock'
import { readMeta } from '../db/account'
import { lateOf, type Late } from '../figures/late'
import { every, inState, one } from './records'

export interface Behind {
  enrolment: Enrolment
  late: Late
  household: Household | null
}

/** Furthest behind first. */
export async function behind(): Promise<Behind[]> {
  const me = (await readMeta('session'))?.member
  const [active, cycles] = await Promise.all([inState('enrolment', 'active'), every('cycle')])
  const known = new Map(cycles.map((cycle) => [cycle.id, cycle]))
  const found = active.flatMap((enrolment) => {
    if (me?.role === 'mentor' && enrolment.mentor !== me.id) return []
    const late = lateOf(enrolment, known, now())
    return late ? [{ enrolment, late }] : []
  })
  return Promise.all(
    found.sort((a, b) => b.late.days - a.late.days).map(async (item) => ({ ...item, household: await one('household', item.enrolment.household) })),
  )
}
