// What a supervisor asks: what was decided, how the team is doing, and what lies around a home.
import type { Household, Id, Person, Place, Visit } from '../api/records'
import { DAY, now } from '../clock'
import { readMeta } from '../db/account'
import { standing } from './households'
import { mentors, places } from './people'
import { every, inState, one } from './records'

export interface Decided {
  visit: Visit
  household: Household | null
  mentor: Person | null
}

/** One's own decisions of the last 14 days, latest first. */
export async function decided(): Promise<Decided[]> {
  const me = (await readMeta('session'))?.member.id
  const since = now() - 14 * DAY
  const visits = [...(await inState('visit', 'approved')), ...(await inState('visit', 'returned'))]
    .filter((visit) => visit.decided_by === me && (visit.decided_at ?? 0) >= since)
    .sort((a, b) => (b.decided_at ?? 0) - (a.decided_at ?? 0))
  return Promise.all(
    visits.map(async (visit) => ({
      visit,
      household: await one('household', visit.household),
      mentor: await one('person', visit.mentor),
    })),
  )
}

export interface Caseload {
  mentor: Person
  villages: Place[]
  households: number
  /** Households of these villages that were visited within 30 days. */
  visited: number
  waiting: number
  returned: number
  planned: number
  last_visit_at: number | null
}

/** How each mentor of the team is doing, counted from the records on this device. */
export async function team(): Promise<Caseload[]> {
  const [crew, homes, visits, all] = await Promise.all([mentors(), standing(), every('visit'), places()])
  const inPlace = countBy(homes, ({ place }) => place)
  const since = now() - 30 * DAY
  const visited = countBy(
    homes.filter(({ last_visit_at }) => (last_visit_at ?? 0) >= since),
    ({ place }) => place,
  )
  return crew.map((mentor) => {
    const villages = within(mentor.places, all)
    const own = visits.filter((visit) => visit.mentor === mentor.id)
    const sum = (counts: Map<Id, number>) => villages.reduce((total, { id }) => total + (counts.get(id) ?? 0), 0)
    const done = own.filter(({ submitted_at }) => submitted_at !== null)
    return {
      mentor,
      villages,
      households: sum(inPlace),
      visited: sum(visited),
      waiting: own.filter(({ state }) => state === 'submitted').length,
      returned: own.filter(({ state }) => state === 'returned').length,
      planned: own.filter(({ state }) => state === 'planned' || state === 'in_progress').length,
      last_visit_at: done.reduce<number | null>((last, { submitted_at }) => Math.max(last ?? 0, submitted_at!), null),
    }
  })
}

/** Villages at or below these places. */
export function within(own: Id[], all: Place[]): Place[] {
  const parents = new Map(all.map(({ id, parent }) => [id, parent]))
  const mine = new Set(own)
  return all.filter((place) => {
    if (place.level !== 2) return false
    for (let at: Id | null = place.id, steps = 0; at && steps < 10; at = parents.get(at) ?? null, steps++) {
      if (mine.has(at)) return true
    }
    return false
  })
}

/** Where the other homes of a village are. */
export async function homesOf(place: Id): Promise<{ id: Id; lat: number; lon: number }[]> {
  return (await standing()).flatMap(({ id, place: at, lat, lon }) =>
    at === place && lat !== null && lon !== null ? [{ id, lat, lon }] : [],
  )
}

function countBy<T>(items: T[], key: (item: T) => Id): Map<Id, number> {
  const counts = new Map<Id, number>()
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1)
  return counts
}
