// What the server knows of households that may be the same, and what a person decides of them.
import { request } from '../api/client'
import type { components } from '../api/schema'

type Schemas = components['schemas']
export type Pair = Schemas['DuplicatePair']
export type State = Schemas['DuplicateState']

export const pairs = (state: State, after: string | null): Promise<Schemas['Page_DuplicatePair']> =>
  request(`/api/duplicates?${new URLSearchParams({ state, limit: '50', ...(after ? { after } : {}) })}`)
export const distinct = (one: string, other: string, are: boolean): Promise<unknown> =>
  request(`/api/duplicates/${one}/${other}`, { method: 'PUT', json: { distinct: are } })
export const look = (): Promise<Schemas['Looking']> => request('/api/duplicates/look', { method: 'POST', json: {} })
