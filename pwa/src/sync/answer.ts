// Takes one sync answer into the local database, in one transaction.
import type { Announces, Entry, Id, Receipt, Result, SyncAnswer } from '../api/records'
import { transact, type AccountDb, type Tx } from '../db/account'
import { changed } from '../db/changes'
import { row, type CaptureMeta, type Waiting } from '../db/schema'
import { rebase } from './rebase'
import { keepDelivered, keepPicture, refill } from './refill'
import { wireBytes } from './wire'
import { keyOf, parseKey } from './touches'

const STORES = ['records', 'outbox', 'items', 'captures', 'blobs', 'cursors', 'attention', 'meta', 'delivered', 'spares'] as const

/** Keys of records to work out again, and what to tell those who watch. */
interface Effects {
  dirty: Set<string>
  tags: Set<string>
  keys: Set<string>
}

export async function take(db: AccountDb, answer: SyncAnswer & Announces, at: number): Promise<void> {
  const effects: Effects = { dirty: new Set(), tags: new Set(['meta']), keys: new Set() }
  // Relaxed: a power cut undoes the whole answer, and the next request brings it again.
  await transact([...STORES], 'relaxed', async (tx) => {
    for (const result of answer.results) await settle(tx, result, at, effects)
    if (answer.reset?.length && (await refill(tx, answer))) {
      for (const tag of ['outbox', 'captures']) effects.tags.add(tag)
    }
    const waiting = await tx.objectStore('outbox').getAll()
    const pending = new Set(waiting.flatMap(({ records }) => records))
    for (const feed of answer.reset ?? []) await leave(tx, feed, pending, effects)
    for (const [feed, { entries, revision }] of Object.entries(answer.feeds)) {
      for (const entry of entries) await enter(tx, feed, entry, pending, effects)
      await tx.objectStore('cursors').put(revision, feed)
    }
    for (const feed of answer.gone) await leave(tx, feed, pending, effects)
    await photos(tx, answer, waiting, effects)
    if (!answer.more) await forget(tx, waiting, answer.server_time, effects)
    await rebase(tx, effects.dirty)
    await tx.objectStore('meta').put(at, 'lastSyncAt')
    await tx.objectStore('meta').put(answer.server_time - at, 'clockOffset')
    if (answer.outbox_key) await tx.objectStore('meta').put(answer.outbox_key, 'outboxKey')
  }, db)
  for (const key of effects.dirty) {
    effects.keys.add(key)
    effects.tags.add(`records:${parseKey(key)[0]}`)
  }
  changed(effects.tags, [...effects.keys])
}

/** A refused command leaves the queue for the list that the person sees; nothing else waits for it. */
async function settle(tx: Tx, result: Result, at: number, effects: Effects): Promise<void> {
  const outbox = tx.objectStore('outbox')
  const waiting = await outbox.index('id').get(result.id)
  if (!waiting || waiting.done) return
  const final = result.status === 'duplicate' ? (result.first ?? result) : result
  if (final.status === 'rejected') await refuse(tx, waiting, final, at, effects)
  else await outbox.put({ ...waiting, done: true })
  await tx.objectStore('items').delete(result.id)
  effects.tags.add('outbox')
}

export async function refuse(
  tx: Tx,
  waiting: Waiting,
  why: { code?: string; message?: string; field?: string },
  at: number,
  effects: Effects,
): Promise<void> {
  const { id, command, by, records, captures, draft } = waiting
  await tx.objectStore('outbox').delete(waiting.seq!)
  await tx.objectStore('items').delete(id)
  await tx.objectStore('attention').put({
    id, kind: command.kind, command, by, records, captures, draft, at,
    code: why.code ?? 'rejected',
    message: why.message ?? '',
    field: why.field ?? null,
  })
  for (const record of records) effects.dirty.add(record)
  effects.tags.add('attention')
}

async function enter(tx: Tx, feed: Id, entry: Entry, pending: Set<string>, effects: Effects): Promise<void> {
  const { kind, id } = entry
  const records = tx.objectStore('records')
  const key = keyOf(kind, id)
  effects.tags.add(`records:${kind}`)
  effects.keys.add(key)
  if (entry.deleted || !entry.body) {
    // A record that moved leaves a tombstone in its old feed; it may have arrived in the new one already.
    const found = await records.get([kind, id])
    if (!found || found.feed !== feed) return
    if (!pending.has(key)) return records.delete([kind, id])
    await records.put({ ...found, base: null })
    effects.dirty.add(key)
  } else if (pending.has(key)) {
    await records.put({ ...row(kind, id, feed, entry.body), base: entry.body })
    effects.dirty.add(key)
  } else {
    await records.put(row(kind, id, feed, entry.body))
  }
}

/** A feed this person no longer sees, or that begins anew: its records go, unsent work stays. */
async function leave(tx: Tx, feed: Id, pending: Set<string>, effects: Effects): Promise<void> {
  await tx.objectStore('cursors').delete(feed)
  const records = tx.objectStore('records')
  for (const found of await records.index('feed').getAll(feed)) {
    const { kind, id } = found
    const key = keyOf(kind, id)
    effects.tags.add(`records:${kind}`)
    effects.keys.add(key)
    if (pending.has(key)) {
      await records.put({ ...found, base: null })
      effects.dirty.add(key)
    } else {
      await records.delete([kind, id])
    }
  }
}

/** Commands whose effects a complete pull has now brought need not be shown by us any more. */
async function forget(tx: Tx, waiting: Waiting[], at: number, effects: Effects): Promise<void> {
  for (const one of waiting) {
    if (!one.done) continue
    await tx.objectStore('outbox').delete(one.seq!)
    await keepDelivered(tx, one, at)
    for (const record of one.records) effects.dirty.add(record)
  }
}

async function photos(tx: Tx, answer: SyncAnswer, waiting: Waiting[], effects: Effects): Promise<void> {
  const captures = tx.objectStore('captures')
  const change = async (id: Id, then: (capture: CaptureMeta) => CaptureMeta | null) => {
    const capture = await captures.get(id)
    if (!capture || capture.state === 'draft' || capture.state === 'acknowledged') return
    const next = then(capture)
    if (!next) return
    await captures.put(next)
    if (next.state === 'acknowledged') await keepPicture(tx, capture, answer.server_time)
    effects.tags.add('captures')
  }
  for (const receipt of answer.acknowledged) await change(receipt.id, (capture) => acknowledged(capture, receipt))
  for (const id of answer.want) await change(id, wanted)
  for (const id of answer.unknown) {
    const command = (await captures.get(id))?.command
    const expected = waiting.some((entry) => entry.id === command && !entry.done)
    const refused = command ? await tx.objectStore('attention').get(command) : undefined
    if (!expected && !refused) {
      await change(id, (capture) => ({ ...capture, state: 'failed', error: 'unknown_on_server' }))
    }
  }
}

/** The only place that lets go of a photo: the server names the same id, hash and length. */
export function acknowledged(capture: CaptureMeta, receipt: Receipt): CaptureMeta {
  if (capture.id === receipt.id && capture.sha256 === receipt.sha256 && capture.bytes === receipt.bytes) {
    return { ...capture, state: 'acknowledged', receipt, upload: null, offset: capture.bytes, error: null, secret: null, parcel: null }
  }
  return { ...capture, state: 'failed', error: 'receipt_mismatch' }
}

/** The server asks for bytes that we believed delivered, or had given up on. */
function wanted(capture: CaptureMeta): CaptureMeta | null {
  const delivered = capture.state === 'uploading' && capture.offset >= wireBytes(capture)
  if (capture.state === 'queued' || (capture.state === 'uploading' && !delivered)) return null
  return { ...capture, state: 'queued', upload: null, offset: 0, error: null }
}
