// What an administrator sees of the whole organisation, counted from the records on this device.
import { DAY, now } from '../clock'
import { standing } from './households'
import { every } from './records'

export interface Overview {
  mentors: number
  supervisors: number
  admins: number
  inactive: number
  /** Active mentors without a place. */
  homeless: number
  villages: number
  households: number
  /** Households visited within 30 days. */
  visited: number
  waiting: number
  /** Visits handed in within 30 days. */
  visits: number
}

export async function overview(): Promise<Overview> {
  const [people, places, homes, visits] = await Promise.all([
    every('person'),
    every('place'),
    standing(),
    every('visit'),
  ])
  const since = now() - 30 * DAY
  const active = people.filter((person) => person.active)
  const mentors = active.filter(({ role }) => role === 'mentor')
  return {
    mentors: mentors.length,
    supervisors: active.filter(({ role }) => role === 'supervisor').length,
    admins: active.filter(({ role }) => role === 'org_admin').length,
    inactive: people.length - active.length,
    homeless: mentors.filter((mentor) => mentor.places.length === 0).length,
    villages: places.filter(({ level }) => level === 2).length,
    households: homes.length,
    visited: homes.filter(({ last_visit_at }) => (last_visit_at ?? 0) >= since).length,
    waiting: visits.filter(({ state }) => state === 'submitted').length,
    visits: visits.filter(({ submitted_at }) => (submitted_at ?? 0) >= since).length,
  }
}

export async function householdsByPlace(): Promise<Map<string, number>> {
  const counts = new Map<string, number>()
  for (const { place } of await standing()) counts.set(place, (counts.get(place) ?? 0) + 1)
  return counts
}
