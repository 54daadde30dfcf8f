// Who of a caseload is shown and in which order: pure, so that five hundred households are narrowed while somebody types.
import type { Id, Millis } from '../api/records'
import { plainText } from '../db/schema'
import type { Plan } from './plan'

export interface Climber {
  enrolment: Id
  household: { id: Id; head_name: string; number: string | null; photo: Id | null; photo_placeholder: string | null }
  place_name: string
  programme: Id
  cycle: Id | null
  mentor: Id
  plan: Plan
  /** Full days since a rung was last moved. */
  still: number
}

export interface Filters {
  text: string
  /** Number of the milestone that comes next; empty for all. */
  milestone: string
  late: boolean
  /** A programme's or a cycle's id. */
  within: string
  mentor: string
}

export const none: Filters = { text: '', milestone: '', late: false, within: '', mentor: '' }

export function narrow(all: Climber[], { text, milestone, late, within, mentor }: Filters): Climber[] {
  const words = plainText(text).split(/\s+/).filter(Boolean)
  return all
    .filter(({ household, place_name, programme, cycle, mentor: whose, plan }) => {
      if (milestone && String(plan.next?.number ?? '') !== milestone) return false
      if (late && !plan.late.length) return false
      if (within && programme !== within && cycle !== within) return false
      if (mentor && whose !== mentor) return false
      const said = ` ${plainText([household.head_name, place_name, household.number].join(' '))}`
      return words.every((word) => said.includes(word))
    })
    .sort(longestStuck)
}

/** Days past the target of the rung that is furthest behind. */
export const behind = ({ late }: Plan): number => Math.max(0, ...late.map((rung) => rung.late))

/** Without a step for longest first, then furthest behind; who is at the top comes last. */
export function longestStuck(a: Climber, b: Climber): number {
  const top = Number(!a.plan.next) - Number(!b.plan.next)
  return (
    top || b.still - a.still || behind(b.plan) - behind(a.plan) || a.household.head_name.localeCompare(b.household.head_name)
  )
}

export interface Counts {
  all: number
  late: number
  /** By the number of the milestone that comes next. */
  next: Map<number, number>
  /** Lowest height to highest: how many stand at each. */
  heights: number[]
}

export function countsOf(all: Climber[]): Counts {
  const next = new Map<number, number>()
  const heights = Array.from({ length: 13 }, () => 0)
  for (const { plan } of all) {
    if (plan.next) next.set(plan.next.number, (next.get(plan.next.number) ?? 0) + 1)
    heights[Math.min(12, plan.height)]! += 1
  }
  return { all: all.length, late: all.filter(({ plan }) => plan.late.length).length, next, heights }
}

/** Full days from `at` to `now`. */
export const daysSince = (at: Millis | null, now: Millis): number => (at === null ? 0 : Math.max(0, Math.floor((now - at) / 86_400_000)))
