// What commands of trainings do to their records on this phone, until the server's word comes.
import type { Command } from '../api/records'
import type { Training } from '../api/trainings'
import type { Author } from '../db/schema'
import { same } from './reducers'

export function training(command: Command, before: Training | null, by: Author): Training | null {
  const { at } = command
  const open = before?.state === 'scheduled'
  switch (command.kind) {
    case 'training.schedule':
    case 'training.change': {
      const { households, despite_prerequisite: _seen, ...plan } = command.body
      const seats = households.map(
        (household) => before?.seats.find((one) => one.household === household) ?? { household, mark: null, by: null, at: null },
      )
      if (!before && 'module' in plan)
        return { ...plan, number: null, seats, lacking: [], state: 'scheduled', planned_revision: 0, created_at: at, updated_at: at, revision: 0 }
      return before && open ? { ...before, ...plan, seats, updated_at: at } : before
    }
    case 'training.attend': {
      const seats = before?.seats.map((one) => {
        const change = command.body.marks.find(({ household }) => household === one.household)
        // The same rule as the server's: what somebody else recorded meanwhile stays, and becomes a conflict there.
        return change && same(one.mark, change.was) ? { ...one, mark: change.now, by: by.member, at } : one
      })
      return before && seats && before.state !== 'cancelled' ? { ...before, seats, updated_at: at } : before
    }
    case 'training.hold':
      return before && open ? { ...before, state: 'held', updated_at: at } : before
    case 'training.cancel':
      return before && open ? { ...before, state: 'cancelled', reason: command.body.reason, updated_at: at } : before
    default:
      return before
  }
}
