// The catalogue's words for states and moves of enrolments, for what stands in the way, and for verdicts.
import type { EnrolmentMove, EnrolmentState, Language, Stage } from '../api/records'
import { locale } from '../i18n/locale.svelte'
import { m } from '../paraglide/messages.js'
import type { Words } from './instrument'

/** A text of the data, in the language that is on. */
export const said = (words: Words | undefined): string => words?.[locale.current as Language] ?? ''

const states: Record<EnrolmentState, () => string> = {
  applied: m.enrolment_applied,
  screening: m.enrolment_screening,
  verification: m.enrolment_verification,
  qualified: m.enrolment_qualified,
  approved: m.enrolment_approved,
  active: m.enrolment_active,
  graduated: m.enrolment_graduated,
  waitlisted: m.enrolment_waitlisted,
  rejected: m.enrolment_rejected,
  withdrawn: m.enrolment_withdrawn,
  suspended: m.enrolment_suspended,
  dropped_out: m.enrolment_dropped_out,
  transferred: m.enrolment_transferred,
}
export const stateLabel = (state: EnrolmentState): string => states[state]()

const stages: Record<Stage, () => string> = {
  baseline: m.stage_baseline,
  midterm: m.stage_midterm,
  graduation: m.stage_graduation,
}
export const stageLabel = (stage: Stage): string => stages[stage]()

const moves: Record<EnrolmentMove, () => string> = {
  screen: m.move_screen,
  send_to_verify: m.move_send_to_verify,
  verify: m.move_verify,
  approve: m.move_approve,
  activate: m.move_activate,
  graduate: m.move_graduate,
  waitlist: m.move_waitlist,
  recall: m.move_recall,
  reject: m.move_reject,
  withdraw: m.move_withdraw,
  suspend: m.move_suspend,
  resume: m.move_resume,
  drop_out: m.move_drop_out,
  transfer: m.move_transfer,
  take_over: m.move_take_over,
}
export const moveLabel = (move: EnrolmentMove): string => moves[move]()

const blocks: Record<string, () => string> = {
  marginal: m.block_marginal,
  instrument: m.block_instrument,
  area: m.block_area,
  capacity: m.block_capacity,
  closed: m.block_closed,
  earlier: m.block_earlier,
  consent: m.block_consent,
  national_id: m.block_national_id,
  phone: m.block_phone,
  signature: m.block_signature,
  willing: m.block_willing,
  other_programme: m.block_other_programme,
}
export const blockLabel = (block: string): string => blocks[block]?.() ?? block

const verdicts = { qualified: m.verdict_qualified, needs_review: m.verdict_needs_review, not_qualified: m.verdict_not_qualified }
export const verdictLabel = (verdict: keyof typeof verdicts): string => verdicts[verdict]()

export const tones = { qualified: 'good', needs_review: 'warn', not_qualified: 'bad' } as const

/** "61.25" */
export const points = (hundredths: number): string => String(hundredths / 100)
