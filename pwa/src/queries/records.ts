// Reads records of one kind from the local database.
import type { Id, Kind, Records } from '../api/records'
import { database } from '../db/account'
import type { Row } from '../db/schema'

export async function one<K extends Kind>(kind: K, id: Id): Promise<Records[K] | null> {
  return ((await database().get('records', [kind, id]))?.body as Records[K] | undefined) ?? null
}

/** In one transaction, each once; those that are not here are missing. */
export async function several<K extends Kind>(kind: K, ids: Id[]): Promise<Map<Id, Records[K]>> {
  const store = database().transaction(['records']).objectStore('records')
  const rows = await Promise.all([...new Set(ids)].map((id) => store.get([kind, id])))
  return new Map(bodies<K>(rows.filter((row) => row !== undefined)).map((record) => [record.id, record]))
}

export async function every<K extends Kind>(kind: K): Promise<Records[K][]> {
  return bodies(await database().getAll('records', span(kind)))
}

/** Those that belong to `subject`: a household's visits, a visit's evidence. */
export async function about<K extends Kind>(kind: K, subject: Id): Promise<Records[K][]> {
  return bodies(await database().getAllFromIndex('records', 'subject', [kind, subject]))
}

export async function inState<K extends 'visit' | 'conflict' | 'enrolment' | 'group' | 'grant'>(kind: K, state: Records[K]['state']): Promise<Records[K][]> {
  return bodies(await database().getAllFromIndex('records', 'state', [kind, state]))
}

export function bodies<K extends Kind>(rows: Row[]): Records[K][] {
  return rows.flatMap(({ body }) => (body ? [body as Records[K]] : []))
}

/** All keys that begin with `kind`. */
export const span = (kind: Kind): IDBKeyRange => IDBKeyRange.bound([kind], [kind, []])
