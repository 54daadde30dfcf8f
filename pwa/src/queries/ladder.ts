// What views ask about ladders: of one enrolment, of one household, of a whole caseload.
import type { Cycle, Enrolment, Id, Person, Programme } from '../api/records'
import { now } from '../clock'
import { daysSince, type Climber } from '../ladder/caseload'
import { planOf, type Plan } from '../ladder/plan'
import { about, every, inState, one } from './records'
import { searchIndex } from './search'

export interface LadderView {
  enrolment: Enrolment
  programme: Programme | null
  cycle: Cycle | null
  plan: Plan
}

/** Null when there is no such enrolment here, or it has no ladder yet. */
export async function ladderOf(id: Id): Promise<LadderView | null> {
  const enrolment = await one('enrolment', id)
  if (!enrolment) return null
  const [programme, cycle] = await Promise.all([
    one('programme', enrolment.programme),
    enrolment.cycle ? one('cycle', enrolment.cycle) : null,
  ])
  const plan = planOf(enrolment, cycle, now())
  return plan && { enrolment, programme, cycle, plan }
}

/** Ladders of a household, the latest enrolment first; those that take part before those that have. */
export async function laddersOf(household: Id): Promise<LadderView[]> {
  const found = (await about('enrolment', household)).sort(
    (a, b) => Number(b.state === 'active') - Number(a.state === 'active') || b.created_at - a.created_at,
  )
  const views = await Promise.all(found.map(({ id }) => ladderOf(id)))
  return views.filter((view) => view !== null)
}

export interface CaseloadView {
  climbers: Climber[]
  programmes: Programme[]
  cycles: Cycle[]
  mentors: Person[]
}

export interface Climbing {
  enrolment: Enrolment
  plan: Plan
}

/** Ladders of everybody who takes part; of a mentor, of whom that mentor accompanies. */
export async function climbing(only: Id | null): Promise<Climbing[]> {
  const [active, cycles] = await Promise.all([inState('enrolment', 'active'), every('cycle')])
  const known = new Map(cycles.map((cycle) => [cycle.id, cycle]))
  const at = now()
  return active.flatMap((enrolment) => {
    if (only && enrolment.mentor !== only) return []
    const plan = planOf(enrolment, (enrolment.cycle && known.get(enrolment.cycle)) || null, at)
    return plan ? [{ enrolment, plan }] : []
  })
}

/** The same with their households, and what they can be narrowed by. */
export async function caseload(only: Id | null): Promise<CaseloadView> {
  const [all, programmes, cycles, people, index] = await Promise.all([
    climbing(only),
    every('programme'),
    every('cycle'),
    every('person'),
    searchIndex(),
  ])
  const homes = new Map(index.find('', null).map(({ entry }) => [entry.household.id, entry]))
  const at = now()
  const climbers = all.flatMap(({ enrolment, plan }): Climber[] => {
    const home = homes.get(enrolment.household)
    const { id, programme, cycle, mentor } = enrolment
    const still = daysSince(plan.moved, at)
    return home ? [{ enrolment: id, household: home.household, place_name: home.place_name, programme, cycle, mentor, plan, still }] : []
  })
  const of = <T extends { id: Id }>(kind: T[], used: (one: Climber) => Id | null) => {
    const ids = new Set(climbers.map(used))
    return kind.filter(({ id }) => ids.has(id))
  }
  const byName = (a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name)
  return {
    climbers,
    programmes: of(programmes, ({ programme }) => programme).sort(byName),
    cycles: of(cycles, ({ cycle }) => cycle).sort((a, b) => a.code.localeCompare(b.code)),
    mentors: of(people, ({ mentor }) => mentor).sort(byName),
  }
}
