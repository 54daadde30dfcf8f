// What this person may do with a milestone by hand; the server decides, this only avoids offering what it would refuse.
import type { Milestone, MilestoneMove } from '../api/grants'
import type { Enrolment, Id } from '../api/records'
import ways from './ways.json'

const SECOND_LOOK: MilestoneMove[] = ['skip', 'reopen']
/** What leads on comes first. */
const ORDER: MilestoneMove[] = ['complete', 'start', 'reopen', 'skip']

export function movesOf(
  rung: Pick<Milestone, 'state'>,
  { state, mentor }: Pick<Enrolment, 'state' | 'mentor'>,
  me: Id,
  can: (capability: string) => boolean,
): MilestoneMove[] {
  if (state !== 'active') return []
  const may = (move: MilestoneMove) =>
    can('enrolments.decide') || (!SECOND_LOOK.includes(move) && mentor === me && can('programmes.assess'))
  return (Object.keys(ways[rung.state]) as MilestoneMove[]).filter(may).sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))
}
