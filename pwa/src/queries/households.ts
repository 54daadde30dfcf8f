// What views ask about households.
import type { Conflict, Evidence, Household, Id, Records, Signature, Visit } from '../api/records'
import { database } from '../db/account'
import { hear } from '../db/changes'
import { about, every, inState, one } from './records'
import { searchIndex, type Matched } from './search'

export interface Hit {
  id: Id
  number: string | null
  head_name: string
  place: Id
  place_name: string
  phone: string | null
  photo: Id | null
  photo_placeholder: string | null
  last_visit_at: number | null
  matched: Matched
  /** Something about it has not reached the server. */
  waiting: boolean
}

/** By name, part of the national id, phone or number, member or village; all by name when `text` is empty. */
export async function search(
  text: string,
  place: Id | null = null,
  limit = 50,
): Promise<{ items: Hit[]; total: number }> {
  const [waiting, index] = await Promise.all([waitingKeys(), searchIndex()])
  const found = index.find(text, place)
  const items = found
    .slice(0, limit)
    .map(({ entry, matched }) => toHit(entry.household, entry.place_name, matched, waiting))
  return { items, total: found.length }
}

export async function toHits(households: Household[], waiting?: Set<string>): Promise<Hit[]> {
  const keys = waiting ?? (await waitingKeys())
  const names = new Map<Id, string>()
  for (const id of new Set(households.map(({ place }) => place))) names.set(id, (await one('place', id))?.name ?? '')
  return households.map((household) => toHit(household, names.get(household.place) ?? '', null, keys))
}

const made = new WeakMap<Household, Hit>()

/** The same object for the same household: a list makes again only the rows that changed. */
function toHit(household: Household, place_name: string, matched: Matched, keys: Set<string>): Hit {
  const { id, number, head_name, place, phone, photo, photo_placeholder, last_visit_at } = household
  const waiting = keys.has(`household:${id}`)
  const before = made.get(household)
  if (before && before.place_name === place_name && before.matched === matched && before.waiting === waiting) return before
  const hit = {
    id, number, head_name, place, place_name, phone, photo, photo_placeholder, last_visit_at, matched, waiting,
  }
  made.set(household, hit)
  return hit
}

let keys: Promise<Set<string>> | null = null
let of: unknown
hear(() => (keys = null))

/** Kept until something changes: whoever types asks at every key, and a slow phone's database takes its time. */
function waitingKeys(): Promise<Set<string>> {
  const db = database()
  if (db !== of) keys = null
  of = db
  keys ??= db.getAll('outbox').then((all) => new Set(all.flatMap(({ done, records }) => (done ? [] : records))))
  keys.catch(() => (keys = null))
  return keys
}

export const household = (id: Id): Promise<Household | null> => one('household', id)

export type TimelineItem =
  | { at: number; kind: 'visit'; visit: Visit; evidence: Evidence[]; signatures: Signature[] }
  | { at: number; kind: 'evidence'; evidence: Evidence }

/** Those that stand for themselves: not merged into another. */
export const standing = async (): Promise<Household[]> =>
  (await every('household')).filter(({ merged_into }) => !merged_into)

/** A household with all that are one with it. */
export async function family(householdId: Id): Promise<Id[]> {
  const found = await one('household', householdId)
  const kept = found?.merged_into ? await one('household', found.merged_into) : found
  return [...new Set([householdId, ...(kept ? [kept.id] : []), ...(kept?.merges ?? []).map(({ household }) => household)])]
}

/** Latest first: visits with what belongs to them, and the household's own photos; also of those merged into it. */
export async function timeline(householdId: Id): Promise<TimelineItem[]> {
  const found = await one('household', householdId)
  const ids = [householdId, ...(found?.merges ?? []).map(({ household }) => household)]
  const all = <K extends 'visit' | 'evidence'>(kind: K) =>
    Promise.all(ids.map((id) => about(kind, id))).then((each) => each.flat() as Records[K][])
  const [visits, own] = await Promise.all([all('visit'), all('evidence')])
  const items: TimelineItem[] = own.map((evidence) => ({ at: evidence.captured_at, kind: 'evidence', evidence }))
  for (const visit of visits) {
    const [evidence, signatures] = await Promise.all([about('evidence', visit.id), about('signature', visit.id)])
    items.push({
      at: visit.submitted_at ?? visit.started_at ?? visit.planned_at ?? visit.created_at,
      kind: 'visit',
      visit,
      evidence: evidence.filter(({ superseded_by }) => !superseded_by),
      signatures: signatures.filter(({ superseded_by }) => !superseded_by),
    })
  }
  return items.sort((a, b) => b.at - a.at)
}

/** Open ones: of one record, or all. */
export async function conflicts(record?: Id): Promise<Conflict[]> {
  const open = await inState('conflict', 'open')
  return record ? open.filter((conflict) => conflict.record === record) : open
}
