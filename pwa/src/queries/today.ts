// The mentor's day: what to do, what is late, what came back, what is unfinished.
import type { Household, Visit } from '../api/records'
import { DAY, dayOf, now } from '../clock'
import { startOfDay } from '../shell/zone.svelte'
import { type AccountDb, database, readMeta } from '../db/account'
import type { Draft } from '../db/schema'
import { drafts } from '../drafts'
import { toHits, type Hit } from './households'
import { bodies, inState, several } from './records'

export interface VisitItem {
  visit: Visit
  household: Household | null
}

export interface Today {
  due: VisitItem[]
  /** Planned before today and not done. */
  overdue: VisitItem[]
  drafts: Draft[]
  returned: VisitItem[]
}

/** What stands further down, and is read after the first screen is shown. */
export interface Later {
  /** Households without a visit for 30 days, longest first: the first 20 of `unvisited_total`. */
  unvisited: Hit[]
  unvisited_total: number
  /** The latest of those that nobody has decided on. */
  submitted: VisitItem[]
}

const UNVISITED_AFTER = 30 * DAY
const SHOWN = 20

let prepared: { of: AccountDb; at: number; asked: Promise<Today> } | null = null
/** Milliseconds after which something may have changed. */
const FRESH = 2_000

/** Asks while the page is still being made: a slow phone makes it for as long as it reads. */
export function prepareToday(): void {
  prepared = { of: database(), at: performance.now(), asked: read() }
  prepared.asked.catch(() => undefined)
}

export function today(): Promise<Today> {
  const early = prepared
  prepared = null
  return early?.of === database() && performance.now() - early.at < FRESH ? early.asked : read()
}

async function read(): Promise<Today> {
  const midnight = startOfDay(now())
  const tomorrow = startOfDay(midnight + 1.5 * DAY)
  const [planned, begun, returned, unfinished] = await Promise.all([
    mine('planned'),
    mine('in_progress'),
    mine('returned'),
    drafts(),
  ])
  const open = [...begun, ...planned].sort((a, b) => (a.planned_at ?? 0) - (b.planned_at ?? 0))
  const isLate = (visit: Visit) => visit.planned_at !== null && visit.planned_at < midnight
  const isDue = (visit: Visit) => visit.planned_at === null || visit.planned_at < tomorrow
  return {
    due: await withHousehold(open.filter((visit) => !isLate(visit) && isDue(visit))),
    overdue: await withHousehold(open.filter(isLate)),
    drafts: unfinished.filter(({ kind }) => !['return', 'policy', 'training'].includes(kind)),
    returned: await withHousehold(returned),
  }
}

export async function later(): Promise<Later> {
  const [unvisited, submitted] = await Promise.all([longUnvisited(), mine('submitted')])
  const latest = submitted.sort((a, b) => (b.submitted_at ?? 0) - (a.submitted_at ?? 0)).slice(0, SHOWN)
  return { ...unvisited, submitted: await withHousehold(latest) }
}

/** Planned after today, soonest first. */
export async function upcoming(days = 14): Promise<VisitItem[]> {
  const from = startOfDay(startOfDay(now()) + 1.5 * DAY)
  const planned = (await mine('planned')).filter(({ planned_at }) => planned_at! >= from && planned_at! < from + days * DAY)
  return withHousehold(planned.sort((a, b) => a.planned_at! - b.planned_at!))
}

/** A mentor's own; whoever has no visits of their own sees those of their places. */
async function mine(state: Visit['state']): Promise<Visit[]> {
  const member = (await readMeta('session'))?.member
  const visits = await inState('visit', state)
  return member && member.role !== 'supervisor' ? visits.filter(({ mentor }) => mentor === member.id) : visits
}

async function withHousehold(visits: Visit[]): Promise<VisitItem[]> {
  if (!visits.length) return []
  const homes = await several('household', visits.map(({ household }) => household))
  return visits.map((visit) => ({ visit, household: homes.get(visit.household) ?? null }))
}

async function longUnvisited(): Promise<Pick<Later, 'unvisited' | 'unvisited_total'>> {
  const db = database()
  const long = IDBKeyRange.bound(['household', 0], ['household', dayOf(now() - UNVISITED_AFTER)])
  const [rows, unvisited_total] = await Promise.all([
    db.getAllFromIndex('records', 'at', long, SHOWN),
    db.countFromIndex('records', 'at', long),
  ])
  // On disk only the day is known.
  const homes = bodies<'household'>(rows).sort((a, b) => (a.last_visit_at ?? 0) - (b.last_visit_at ?? 0))
  return { unvisited: await toHits(homes), unvisited_total }
}
