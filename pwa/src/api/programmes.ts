// What managers do online with programmes and their cycles.
import type { Cycle, Id, Programme } from './records'
import { request } from './client'

export type ProgrammeFacts = Omit<Programme, 'id' | 'updated_at' | 'revision'>
export type CycleFacts = Omit<Cycle, 'id' | 'updated_at' | 'revision'>

/** `revision`: the one that was looked at, null for a new one. */
export const saveProgramme = (id: Id, programme: ProgrammeFacts, revision: number | null): Promise<Programme> =>
  request(`/api/programmes/${id}`, { method: 'PUT', json: { programme, revision: revision ?? undefined } })

export const saveCycle = (id: Id, cycle: CycleFacts, revision: number | null): Promise<Cycle> =>
  request(`/api/cycles/${id}`, { method: 'PUT', json: { cycle, revision: revision ?? undefined } })
