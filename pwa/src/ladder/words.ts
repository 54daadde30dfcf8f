// The catalogue's words for milestones: their states and moves, what moved them, how each is completed, when it is due.
import type { MilestoneMove, MilestoneState } from '../api/grants'
import type { Millis } from '../api/records'
import { m } from '../paraglide/messages.js'
import { day, daysBetween } from '../shell/dates'
import { clock } from '../ui/icons'
import { check, minus } from '../ui/more-icons'
import { isDone, type Rung } from './plan'

const states: Record<MilestoneState, () => string> = {
  not_started: m.ladder_state_not_started,
  in_progress: m.ladder_state_in_progress,
  completed: m.ladder_state_completed,
  skipped: m.ladder_state_skipped,
}
export const stateLabel = (state: MilestoneState): string => states[state]()

const moves: Record<MilestoneMove, () => string> = {
  start: m.ladder_move_start,
  complete: m.ladder_move_complete,
  skip: m.ladder_move_skip,
  reopen: m.ladder_move_reopen,
}
export const moveLabel = (move: MilestoneMove): string => moves[move]()

const causes: Record<string, () => string> = {
  visit: m.ladder_cause_visit,
  training: m.topic_training,
  group: m.ladder_cause_group,
  grant: m.ladder_cause_grant,
  acknowledgement: m.ladder_cause_acknowledgement,
  survey: m.ladder_cause_survey,
  assessment: m.ladder_cause_assessment,
  enrolment: m.ladder_cause_enrolment,
}
/** What moved it; of a move by hand, who. */
export const causeLabel = ({ cause, by }: Rung, name: string): string =>
  cause ? (causes[cause]?.() ?? '') : by ? m.ladder_cause_hand({ name }) : ''

const hows: Record<string, () => string> = {
  first_training: m.ladder_how_first_training,
  business_group: m.ladder_how_business_group,
  business_plan: m.ladder_how_business_plan,
  sb_application: m.ladder_how_sb_application,
  sb_disbursed: m.ladder_how_sb_disbursed,
  business_operating: m.ladder_how_business_operating,
  midterm: m.ladder_how_midterm,
  savings_group: m.ladder_how_savings_group,
  pr_eligibility: m.ladder_how_pr_eligibility,
  pr_application: m.ladder_how_pr_application,
  final_business: m.ladder_how_final_business,
  graduation: m.ladder_how_graduation,
}
export const howLabel = (key: string): string => hows[key]?.() ?? ''

/** "12 days late", "Due today", "Due in 5 days", or further off the date; nothing when it is done. */
export function dueLabel(rung: Rung, now: Millis): string {
  if (isDone(rung) || rung.due === null) return ''
  if (rung.late) return m.ladder_late({ count: rung.late })
  const days = daysBetween(now, rung.due)
  if (days === 0) return m.ladder_due_today()
  return days <= 14 ? m.ladder_due_in({ count: days }) : m.ladder_due_on({ date: day(rung.due) })
}

export const stateIcon: Record<MilestoneState, string | undefined> = {
  not_started: undefined,
  in_progress: clock,
  completed: check,
  skipped: minus,
}
