// What this person may do with a milestone by hand; the server decides, this only avoids offering what it would refuse.
import type { Milestone, MilestoneMove } from '../api/grants'
import type { EnrolmentState } from '../api/records'
import ways from './ways.json'

const SECOND_LOOK: MilestoneMove[] = ['skip', 'reopen']
/** What leads on comes first. */
const ORDER: MilestoneMove[] = ['complete', 'start', 'reopen', 'skip']

export function movesOf(rung: Pick<Milestone, 'state'>, enrolment: EnrolmentState, can: (capability: string) => boolean): MilestoneMove[] {
  if (enrolment !== 'active') return []
  const may = (move: MilestoneMove) =>
    SECOND_LOOK.includes(move) ? can('enrolments.decide') : can('programmes.assess') || can('enrolments.decide')
  return (Object.keys(ways[rung.state]) as MilestoneMove[]).filter(may).sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))
}
