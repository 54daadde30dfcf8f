// What this person may do with a grant now, and why not what others may; the server decides, this only avoids offering
// what it would refuse.
import type { Grant, GrantMove, Tranche } from '../api/grants'
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

/** Whether this person ever did one of these, in whichever round. */
const did = (grant: Grant, me: Id, ...events: GrantMove[]) => grant.history.some(({ by, event }) => by === me && events.includes(event))

/** Which earlier part of theirs keeps them from the next one. */
function part(grant: Grant, me: Id, apart: Barrier[]): Barrier | null {
  const parts: Partial<Record<Barrier, boolean>> = {
    submitted: grant.submitted_by === me || did(grant, me, 'submit'),
    reviewed: grant.reviewed_by === me || did(grant, me, 'review', 'recommend'),
    approved: grant.approved_by === me || did(grant, me, 'approve'),
  }
  return apart.find((one) => parts[one]) ?? null
}

/** With the whole grant, in the order it is offered. */
export function offersOf(grant: Grant, me: Id, can: Can): Offer[] {
  const open = ways[grant.state] as Partial<Record<GrantMove, string>>
  const offers: Offer[] = []
  const offer = (action: Action, there: boolean, barrier: Barrier | null = null) => void (there && offers.push({ action, barrier }))
  const submitted = part(grant, me, ['submitted'])
  // Whoever may decide next may also send it back.
  const judges = grant.state === 'recommended' ? decides(can) : can('grants.review')
  offer('submit', grant.state === 'returned' && can('grants.prepare'))
  offer('review', Boolean(open.review) && can('grants.review'), part(grant, me, ['submitted', 'approved']))
  offer('recommend', Boolean(open.recommend) && can('grants.review'), part(grant, me, ['submitted', 'approved']))
  offer('approve', Boolean(open.approve) && decides(can), part(grant, me, ['submitted', 'reviewed']) ?? (overLimit(grant, can) ? 'over_limit' : null))
  offer('return', Boolean(open.return) && judges, submitted)
  offer('reject', Boolean(open.reject) && judges, submitted)
  const use = grant.utilisation
  const received = (grant.state === 'disbursing' || grant.state === 'disbursed') && isReceived(grant)
  offer('utilise', received && (use?.state === 'due' || use?.state === 'returned') && can('grants.prepare'))
  const reported = use?.submitted_by === me ? 'reported' : null
  offer('verify', use?.state === 'submitted' && can('grants.review'), reported)
  offer('return_use', use?.state === 'submitted' && can('grants.review'), reported)
  offer('close', Boolean(open.close) && can('grants.review'), submitted)
  offer('cancel', Boolean(open.cancel) && cancels(grant, submitted !== null, can))
  return offers
}

/** Before money was promised whoever asked may take it back; afterwards those who watch over it, until some was received. */
function cancels(grant: Grant, asked: boolean, can: Can): boolean {
  const kept = grant.tranches.some(({ acknowledgement, state }) => acknowledgement !== null && state !== 'reversed')
  const promised = grant.state === 'approved' || grant.state === 'disbursing'
  return !kept && (can('grants.release') || decides(can) || (!promised && asked && can('grants.prepare')))
}

/** With one part of it. */
export function partOffersOf(grant: Grant, tranche: Tranche, me: Id, can: Can): Offer<PartAction>[] {
  const offers: Offer<PartAction>[] = []
  const offer = (action: PartAction, there: boolean, barrier: Barrier | null = null) => void (there && offers.push({ action, barrier }))
  const paying = grant.state === 'approved' || grant.state === 'disbursing'
  const { state } = tranche
  const out = state === 'released' || state === 'disputed'
  offer('release', state === 'scheduled' && paying && can('grants.release'), releaseBarrier(grant, me))
  offer('acknowledge', state === 'released' && can('grants.prepare'), tranche.released_by === me ? 'released' : null)
  offer('uphold', state === 'disputed' && tranche.acknowledgement !== null && can('grants.review'), part(grant, me, ['submitted']))
  offer('dispute', (state === 'released' || state === 'acknowledged') && (can('grants.prepare') || can('grants.review')))
  offer('fail', out && can('grants.release'))
  offer('reverse', (out || state === 'acknowledged' || state === 'failed') && can('grants.release'))
  return offers
}

/** Something of it was received and is not disputed: there is a use to tell of. */
export const isReceived = ({ tranches }: Grant): boolean => tranches.some(({ state }) => state === 'acknowledged')

export const releaseBarrier = (grant: Grant, me: Id): Barrier | null => part(grant, me, ['submitted', 'reviewed', 'approved'])

/** Who approves within a limit only does not reach this amount. */
export function overLimit(grant: Grant, can: Can): boolean {
  if (can('grants.approve')) return false
  return grant.amount.amount_minor > (grant.policy.manager_limit_minor ?? 0)
}
