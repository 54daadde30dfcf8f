// What this person may do with an enrolment now; the server decides, this only avoids offering what it would refuse.
import type { Enrolment, EnrolmentMove, Id } from '../api/records'
import ways from './ways.json'

export const NEEDS_REASON: EnrolmentMove[] = ['waitlist', 'reject', 'withdraw', 'suspend', 'drop_out', 'transfer', 'graduate']
const SECOND_LOOK: EnrolmentMove[] = ['verify', 'approve', 'graduate']
/** What leads on, in the order it is offered: the first is the main thing to do. */
const FORWARD: EnrolmentMove[] = ['screen', 'send_to_verify', 'verify', 'approve', 'activate', 'take_over', 'resume', 'recall']

export function movesOf(enrolment: Enrolment, me: Id, can: (capability: string) => boolean): EnrolmentMove[] {
  const open = Object.keys(ways[enrolment.state]) as EnrolmentMove[]
  const mine = enrolment.mentor === me
  const may = (move: EnrolmentMove) => {
    if (move === 'take_over') return enrolment.to_mentor === me && can('programmes.assess')
    if (move === 'withdraw' && mine) return can('programmes.assess')
    return can('enrolments.decide') && !(SECOND_LOOK.includes(move) && (mine || enrolment.assessed_by === me))
  }
  const rank = (move: EnrolmentMove) => (FORWARD.includes(move) ? FORWARD.indexOf(move) : FORWARD.length)
  return open.filter(may).sort((a, b) => rank(a) - rank(b))
}
