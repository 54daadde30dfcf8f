// A household's ladder worked out for showing: when each milestone is due, what is late, what comes next, how high it stands.
import milestones from '../../../instruments/milestones-1.json'
import type { Milestone } from '../api/grants'
import type { Cycle, Enrolment, Millis } from '../api/records'
import type { Words } from '../assess/instrument'
import { DAY } from '../clock'
import { moment, wall } from '../shell/zone.svelte'

export interface Rung extends Milestone {
  key: string
  name: Words
  /** Midnight of the day it should be done by; none while nothing says when the ladder began. */
  due: Millis | null
  /** Full days past that day; 0 when it is done or not due yet. */
  late: number
}

export interface Plan {
  /** From the first to the last. */
  rungs: Rung[]
  /** Completed or skipped. */
  height: number
  /** The open one that is due first. */
  next: Rung | null
  /** Open ones past their day. */
  late: Rung[]
  /** When a rung was last moved; the activation while none was. */
  moved: Millis | null
  /** What the target days are counted from. */
  from: Millis | null
}

export const isDone = ({ state }: Pick<Milestone, 'state'>): boolean => state === 'completed' || state === 'skipped'

/** Null while the enrolment has no ladder: before its activation. */
export function planOf(enrolment: Enrolment, cycle: Cycle | null, now: Millis): Plan | null {
  const rungs = rungsOf(enrolment)
  if (!rungs.length) return null
  const activated = activation(enrolment)?.at ?? null
  const first = cycle?.starts_on ? dayOf(cycle.starts_on) : activated === null ? null : dayAt(activated)
  const today = dayAt(now)
  const all = rungs
    .flatMap((rung) => {
      const named = milestones.milestones.find(({ number }) => number === rung.number)
      if (!named) return []
      const due = first === null ? null : first + named.day
      const late = due === null || isDone(rung) ? 0 : Math.max(0, today - due)
      return [{ ...rung, key: named.key, name: named.name, due: due === null ? null : midnight(due), late }]
    })
    .sort((a, b) => a.number - b.number)
  const open = all.filter((rung) => !isDone(rung)).sort((a, b) => (a.due ?? 0) - (b.due ?? 0) || a.number - b.number)
  const moves = all.flatMap(({ at }) => at ?? [])
  return {
    rungs: all,
    height: all.length - open.length,
    next: open[0] ?? null,
    late: open.filter(({ late }) => late > 0),
    moved: moves.length ? Math.max(...moves, activated ?? 0) : activated,
    from: first === null ? null : midnight(first),
  }
}

const activation = ({ history }: Enrolment) => history.find(({ event }) => event === 'activate')

/** Of an activation that the server has not seen, or an older one did, the ladder as it is on the first day. */
function rungsOf(enrolment: Enrolment): Milestone[] {
  if (enrolment.milestones?.length) return enrolment.milestones
  const step = activation(enrolment)
  if (!step) return []
  const blank = { state: 'not_started', at: null, by: null, reason: '', cause: null, subject: null } as const
  const begun = { state: 'in_progress', at: step.at, by: step.by, cause: 'assessment', subject: enrolment.assessment } as const
  return milestones.milestones.map(({ number }) => ({ number, ...blank, ...(number === 1 ? begun : {}) }))
}

// Days are counted by the calendar of the organisation, since 1970: no summer time makes one of them longer.
const dayOf = (written: string): number => Math.round(Date.parse(written) / DAY)
const dayAt = (at: Millis): number => Math.floor(wall(at).getTime() / DAY)
const midnight = (day: number): Millis => moment(day * DAY)
