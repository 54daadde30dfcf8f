// Which visits a day's figures count, from the records of this device; the server counts the same (`server/src/figures/day.rs`).
import type { Visit } from '../api/records'
import { wall } from '../shell/zone.svelte'

/** In these states a visit has taken place, or takes place. */
export const BEGUN = new Set<Visit['state']>(['in_progress', 'submitted', 'returned', 'approved'])

const times: Record<string, (visit: Visit) => number | null> = {
  begun: (visit) => visit.started_at,
  handed_in: (visit) => (visit.state === 'submitted' || visit.state === 'returned' || visit.state === 'approved' ? visit.submitted_at : null),
  decided: (visit) => visit.decided_at,
  planned: (visit) => visit.planned_at,
}

/** `day` by the organisation's clock, as 2026-11-29. */
export function ofDay(day: string, by: string): (visit: Visit) => boolean {
  const time = times[by] ?? times.begun!
  return (visit) => {
    const at = time(visit)
    return at !== null && wall(at).toISOString().slice(0, 10) === day
  }
}
