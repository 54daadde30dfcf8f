// From what the server counted to what is drawn: the hours that matter, and what waits by its age.
import { m } from '../paraglide/messages.js'
import type { Series } from './bars'
import type { Dashboard } from './day.svelte'

type Hour = Dashboard['hours'][number]
type Waiting = Dashboard['waiting'][number]

export const DAYS = /^\d{4}-\d{2}-\d{2}$/

/** So many days on, in the calendar. */
export const shift = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T12:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)

/** Without the empty hours before the first visit and after the last, but never less than a working day. */
export function charted(hours: Hour[]): Hour[] {
  const full = ({ in_progress, submitted, returned, approved }: Hour) => in_progress + submitted + returned + approved > 0
  const first = Math.min(hours.findIndex(full), 7)
  const last = Math.max(hours.findLastIndex(full), 17)
  return first < 0 ? hours : hours.slice(first, last + 1)
}

type Can = (capability: string) => boolean
const kinds: { name: () => string; tone: Series['tone']; is: (what: string) => boolean; href: (can: Can) => string }[] = [
  { name: m.figures_visits, tone: 'brand', is: (what) => what === 'visit', href: (can) => (can('visits.decide') ? '/queue' : '/visits?state=submitted') },
  { name: m.enrolments_title, tone: 'accent', is: (what) => what === 'enrolment', href: () => '/enrolments?state=applied' },
  { name: m.figures_grants, tone: 'danger', is: (what) => what !== 'visit' && what !== 'enrolment', href: () => '/grants' },
]

/** Each counted once, in the band of its age. */
export function ages(waiting: Waiting[], can: Can): { rows: { label: string }[]; series: (Series & { href: string })[] } {
  const sum = (of: Waiting[], count: (one: Waiting) => number) => of.reduce((all, one) => all + count(one), 0)
  const series = kinds.map(({ name, tone, is, href }) => {
    const of = waiting.filter(({ what }) => is(what))
    return {
      name: name(),
      tone,
      href: href(can),
      values: [
        sum(of, (one) => one.count - one.day),
        sum(of, (one) => one.day - one.three_days),
        sum(of, (one) => one.three_days - one.week),
        sum(of, (one) => one.week),
      ],
    }
  })
  const rows = [m.dash_age_0(), m.dash_age_1(), m.dash_age_3(), m.dash_age_7()].map((label) => ({ label }))
  return { rows, series: series.filter(({ values }) => values.some(Boolean)) }
}
