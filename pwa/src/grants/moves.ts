// What this person may do with a grant now, and why not what others may; the server decides, this only avoids offering
// what it would refuse.
import type { Grant, Tranche } from '../api/grants'
import type { Id } from '../api/records'
import ways from './ways.json'

export type PartAction = 'release' | 'acknowledge' | 'dispute' | 'uphold' | 'fail' | 'reverse'
export type Action =
  | 'submit' | 'review' | 'recommend' | 'return' | 'approve' | 'reject' | 'cancel' | 'close'
  | 'utilise' | 'verify' | 'return_use'
  | PartAction
/** What this person did before, or may not reach. */
export type Barrier = 'submitted' | 'reviewed' | 'approved' | 'released' | 'reported' | 'over_limit'

export interface Offer<A = Action> {
  action: A
  barrier: Barrier | null
}

export type Can = (capability: string) => boolean

export const NEEDS_REASON: Action[] = ['return', 'reject', 'cancel', 'dispute', 'uphold', 'fail', 'reverse', 'return_use']
/** What ends something or undoes it: asked for twice. */
export const DANGER: Action[] = ['reject', 'cancel', 'fail', 'reverse']

const decides = (can: Can) => can('grants.approve') || can('grants.approve_within')

/** With the whole grant, in the order it is offered. */
export function offersOf(grant: Grant, me: Id, can: Can): Offer[] {
  const open = ways[grant.state] as Partial<Record<string, string>>
  const offers: Offer[] = []
  const offer = (action: Action, there: boolean, barrier: Barrier | false | null = null) => {
    if (there) offers.push({ action, barrier: barrier || null })
  }
  const submitted = grant.submitted_by === me && 'submitted'
  const reviewed = grant.reviewed_by === me && 'reviewed'
  const judges = can('grants.review') || (grant.state === 'recommended' && decides(can))
  offer('submit', grant.state === 'returned' && can('grants.prepare'))
  offer('review', Boolean(open.review) && can('grants.review'), submitted)
  offer('recommend', Boolean(open.recommend) && can('grants.review'), submitted)
  offer('approve', Boolean(open.approve) && decides(can), submitted || reviewed || (overLimit(grant, can) && 'over_limit'))
  offer('return', Boolean(open.return) && judges, submitted)
  offer('reject', Boolean(open.reject) && judges, submitted)
  const use = grant.utilisation
  const received = grant.state === 'disbursing' || grant.state === 'disbursed'
  offer('utilise', received && (use?.state === 'due' || use?.state === 'returned') && can('grants.prepare'))
  const reported = use?.submitted_by === me && 'reported'
  offer('verify', use?.state === 'submitted' && can('grants.review'), reported)
  offer('return_use', use?.state === 'submitted' && can('grants.review'), reported)
  offer('close', Boolean(open.close) && (can('grants.review') || decides(can)))
  offer('cancel', Boolean(open.cancel) && (decides(can) || (submitted !== false && can('grants.prepare') && !grant.approved_by)))
  return offers
}

/** With one part of it. */
export function partOffersOf(grant: Grant, part: Tranche, me: Id, can: Can): Offer<PartAction>[] {
  const offers: Offer<PartAction>[] = []
  const offer = (action: PartAction, there: boolean, barrier: Barrier | false | null = null) => {
    if (there) offers.push({ action, barrier: barrier || null })
  }
  const paying = grant.state === 'approved' || grant.state === 'disbursing'
  const moves = can('grants.release')
  offer('release', part.state === 'scheduled' && paying && moves, releaseBarrier(grant, me))
  offer('acknowledge', part.state === 'released' && can('grants.prepare'), part.released_by === me && 'released')
  offer('uphold', part.state === 'disputed' && moves)
  offer('dispute', (part.state === 'released' || part.state === 'acknowledged') && (moves || can('grants.review')))
  offer('fail', part.state === 'released' && moves)
  offer('reverse', ['acknowledged', 'disputed', 'failed'].includes(part.state) && moves)
  return offers
}

export const releaseBarrier = (grant: Grant, me: Id): Barrier | null =>
  grant.submitted_by === me ? 'submitted' : grant.reviewed_by === me ? 'reviewed' : grant.approved_by === me ? 'approved' : null

/** Who approves within a limit only does not reach this amount. */
export function overLimit(grant: Grant, can: Can): boolean {
  if (can('grants.approve')) return false
  return grant.amount.amount_minor > (grant.policy.manager_limit_minor ?? 0)
}
