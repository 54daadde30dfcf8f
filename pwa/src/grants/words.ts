// The catalogue's words for states of grants, parts and reports, for what people may do with them, and why they may not.
import type { AcknowledgementFlag, GrantState, Method, TrancheState, UtilisationState } from '../api/grants'
import { m } from '../paraglide/messages.js'
import type { Action, Barrier } from './moves'
import type { Need } from './needs'

const states: Record<GrantState, () => string> = {
  draft: m.grant_state_draft,
  submitted: m.grant_state_submitted,
  in_review: m.grant_state_in_review,
  recommended: m.grant_state_recommended,
  approved: m.grant_state_approved,
  disbursing: m.grant_state_disbursing,
  disbursed: m.grant_state_disbursed,
  utilised: m.grant_state_utilised,
  closed: m.grant_state_closed,
  returned: m.grant_state_returned,
  rejected: m.grant_state_rejected,
  cancelled: m.grant_state_cancelled,
  expired: m.grant_state_expired,
}
export const stateLabel = (state: GrantState): string => states[state]?.() ?? state

type Tone = 'neutral' | 'good' | 'warn' | 'bad' | 'info'
export function stateTone(state: GrantState): Tone {
  if (state === 'utilised' || state === 'closed') return 'good'
  if (state === 'returned') return 'warn'
  return ['rejected', 'cancelled', 'expired'].includes(state) ? 'bad' : 'info'
}

const parts: Record<TrancheState, () => string> = {
  scheduled: m.grant_part_scheduled,
  released: m.grant_part_released,
  acknowledged: m.grant_part_acknowledged,
  disputed: m.grant_part_disputed,
  failed: m.grant_part_failed,
  reversed: m.grant_part_reversed,
}
export const partLabel = (state: TrancheState): string => parts[state]?.() ?? state
export const partTones: Record<TrancheState, Tone> = {
  scheduled: 'neutral',
  released: 'info',
  acknowledged: 'good',
  disputed: 'bad',
  failed: 'bad',
  reversed: 'warn',
}

const uses: Record<UtilisationState, () => string> = {
  due: m.grant_use_due,
  submitted: m.grant_use_submitted,
  returned: m.grant_use_returned,
  verified: m.grant_use_verified,
}
export const useLabel = (state: UtilisationState): string => uses[state]?.() ?? state

const methods: Record<Method, () => string> = {
  bank: m.grant_method_bank,
  mobile_money: m.grant_method_mobile_money,
  cash: m.grant_method_cash,
  cheque: m.grant_method_cheque,
}
export const METHODS = Object.keys(methods) as Method[]
export const methodLabel = (method: string): string => methods[method as Method]?.() ?? method

const flags: Record<AcknowledgementFlag, () => string> = {
  not_released: m.grant_flag_not_released,
  cancelled: m.grant_flag_cancelled,
  reversed: m.grant_flag_reversed,
  other_amount: m.grant_flag_other_amount,
  twice: m.grant_flag_twice,
  disputed: m.grant_flag_disputed,
  failed: m.grant_flag_failed,
}
/** Why an acknowledgement was kept and not counted. */
export const flagText = (flag: AcknowledgementFlag | null): string => (flag ? (flags[flag]?.() ?? flag) : '')

const actions: Record<Action, () => string> = {
  submit: m.grant_do_submit,
  review: m.grant_do_review,
  recommend: m.grant_do_recommend,
  return: m.grant_do_return,
  approve: m.grant_do_approve,
  reject: m.grant_do_reject,
  cancel: m.grant_do_cancel,
  close: m.grant_do_close,
  release: m.grant_do_release,
  acknowledge: m.grant_do_acknowledge,
  dispute: m.grant_do_dispute,
  uphold: m.grant_do_uphold,
  fail: m.grant_do_fail,
  reverse: m.grant_do_reverse,
  utilise: m.grant_do_utilise,
  verify: m.grant_do_verify,
  return_use: m.grant_do_return_use,
}
export const actionLabel = (action: Action): string => actions[action]()

const barriers: Record<Barrier, () => string> = {
  submitted: m.grant_barrier_submitted,
  reviewed: m.grant_barrier_reviewed,
  approved: m.grant_barrier_approved,
  released: m.grant_barrier_released,
  reported: m.grant_barrier_reported,
  over_limit: m.grant_barrier_over_limit,
}
export const barrierText = (barrier: Barrier): string => barriers[barrier]()

const needs: Record<Need, () => string> = {
  grant: m.grant_need_grant,
  utilised: m.grant_need_utilised,
  days_since: m.grant_need_days_since,
  health: m.grant_need_health,
  milestone: m.grant_need_milestone,
  rating: m.grant_need_rating,
}
export const needLabel = (need: Need): string => needs[need]()

/** Ten-thousandths as "× 1.15". */
export const times = (by: number): string => `× ${(by / 10_000).toFixed(4).replace(/(\.\d\d\d*?)0+$/, '$1')}`

const health: Record<string, () => string> = { green: m.grant_health_green, yellow: m.grant_health_yellow, red: m.grant_health_red }
export const healthLabel = (key: string): string => health[key]?.() ?? key
