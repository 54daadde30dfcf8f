// Who is behind on the ladder, from the records of this device: the open rung that is due first, once its day is over.
// The server counts the same (`server/src/milestones`), so that a figure and its rows agree.
import milestones from '../../../instruments/milestones-1.json'
import type { Cycle, Enrolment, Id, Millis } from '../api/records'
import { DAY } from '../clock'
import { moment, wall } from '../shell/zone.svelte'

export interface Late {
  number: number
  name: { en: string; sw: string }
  due: Millis
  /** Full days past it. */
  days: number
}

const dayAt = (at: Millis) => Math.floor(wall(at).getTime() / DAY)

/** Null while nothing is late. */
export function lateOf(enrolment: Enrolment, cycles: Map<Id, Cycle>, at: Millis): Late | null {
  const activated = enrolment.history.find(({ event }) => event === 'activate')?.at
  const begins = enrolment.cycle ? cycles.get(enrolment.cycle)?.starts_on : null
  const from = begins ? Math.round(Date.parse(begins) / DAY) : activated === undefined ? null : dayAt(activated)
  if (enrolment.state !== 'active' || from === null) return null
  const done = new Set(enrolment.milestones?.filter(({ state }) => state === 'completed' || state === 'skipped').map(({ number }) => number))
  const [next] = milestones.milestones.filter(({ number }) => !done.has(number)).sort((a, b) => a.day - b.day || a.number - b.number)
  if (!next || !enrolment.milestones?.length) return null
  const days = dayAt(at) - (from + next.day)
  return days > 0 ? { number: next.number, name: next.name, due: moment((from + next.day) * DAY), days } : null
}
