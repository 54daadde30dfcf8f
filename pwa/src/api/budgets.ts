// What only the server counts about grants: how much of a programme's budget is left.
import { request } from './client'
import type { Id, Millis } from './records'

export interface Budget {
  /** None: no budget was set, and nothing can be approved. */
  budget_minor: number | null
  /** Approved and not released. */
  committed_minor: number
  released_minor: number
  remaining_minor: number | null
  as_of: Millis
}

export const budget = (programme: Id): Promise<Budget> => request(`/api/programmes/${programme}/budget`)
