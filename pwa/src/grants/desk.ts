// Whose turn a grant is, as lists and tabs show it, and in which order states follow.
import type { GrantState } from '../api/grants'
import { m } from '../paraglide/messages.js'
import type { Waiting } from '../queries/grants'
import { approve, checkCircle, wallet } from '../ui/icons'
import { eye } from '../ui/more-icons'
import type { Can } from './moves'

/** The way of a grant that nothing happens to. */
export const PATH: GrantState[] = ['submitted', 'in_review', 'recommended', 'approved', 'disbursing', 'disbursed', 'utilised', 'closed']
export const ORDER: GrantState[] = ['returned', ...PATH, 'rejected', 'cancelled', 'expired']

const TURNS: { key: Waiting; label: () => string; icon: string; may: (can: Can) => boolean }[] = [
  { key: 'review', label: m.desk_review, icon: eye, may: (can) => can('grants.review') },
  { key: 'decision', label: m.desk_decision, icon: approve, may: (can) => can('grants.approve') || can('grants.approve_within') },
  { key: 'release', label: m.desk_release, icon: wallet, may: (can) => can('grants.release') },
  { key: 'verification', label: m.desk_verification, icon: checkCircle, may: (can) => can('grants.review') },
]
export const turnsOf = (can: Can) => TURNS.filter(({ may }) => may(can))
