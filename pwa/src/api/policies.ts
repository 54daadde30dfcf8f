// What managers do online with a programme's grant policies and its budget.
import type { Policy, PolicyFacts } from './grants'
import type { Id, Millis } from './records'
import { request } from './client'

/** What a programme has for grants, and how much of it is spoken for. */
export interface Budget {
  /** None: no limit was set. */
  budget_minor: number | null
  committed_minor: number
  released_minor: number
  remaining_minor: number | null
  as_of: Millis
}

export const budgetOf = (programme: Id): Promise<Budget> => request(`/api/programmes/${programme}/budget`)

/** `revision`: the one that was looked at, null for a new one. Each save is a new version. */
export const savePolicy = (id: Id, policy: PolicyFacts, revision: number | null): Promise<Policy> =>
  request(`/api/policies/${id}`, { method: 'PUT', json: present({ policy, revision }) })

/** The API takes what is left out for nothing. */
const present = (body: unknown): unknown => JSON.parse(JSON.stringify(body, (_, value: unknown) => value ?? undefined))
