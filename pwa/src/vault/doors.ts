// Delivers for people who are locked: sealed commands by /api/outbox, sealed pictures by upload. Needs no key and no session.
import type { IDBPDatabase } from 'idb'
import { request } from '../api/client'
import { asProblem, Problem } from '../api/problem'
import type { Result } from '../api/records'
import { serverNow } from '../clock'
import { accountDbName, openSealed } from '../db/account'
import type { Item, Parcel, WaitingItem, WaitingParcel } from '../db/schema'
import { signByDevice } from '../device'
import { alone } from '../sync/alone'
import { TAG } from '../captures/locker'
import { upload, type Upload } from '../sync/tus'
import { parcelTag } from './parcel'

export const MOST_ITEMS = 50

export interface Delivered {
  /** Taken by the server now. */
  sent: number
  /** Still on this phone. */
  left: number
}

/** Delivers what it can of one person; what fails stays for the next time. Throws only when the server is out of reach. */
export async function deliverSealed(vault: string): Promise<Delivered> {
  // Opening a database makes it: one that vanished is not to come back empty.
  if (!(await indexedDB.databases()).some(({ name }) => name === accountDbName(vault))) return { sent: 0, left: 0 }
  return alone(async () => {
    const db = await openSealed(vault)
    try {
      const sent = (await commands(db)) + (await pictures(db))
      return { sent, left: await left(db) }
    } finally {
      db.close()
    }
  })
}

async function commands(db: IDBPDatabase): Promise<number> {
  let sent = 0
  for (;;) {
    const waiting = ((await db.getAll('items')) as WaitingItem[]).filter(({ refused }) => !refused).slice(0, MOST_ITEMS)
    if (waiting.length === 0) return sent
    const results = await postItems(waiting.map(bare))
    let moved = 0
    for (const [i, item] of waiting.entries()) {
      const result = results[i]
      if (!result) break
      moved++
      const final = result.status === 'duplicate' ? (result.first ?? result) : result
      // A refusal is remembered by the server, and shown to the person when they unlock.
      if (final.status === 'rejected') await db.put('items', { ...item, refused: final.code ?? 'rejected' })
      else {
        await db.delete('items', item.id)
        sent++
      }
    }
    if (moved === 0) return sent
  }
}

const bare = ({ at: _at, refused: _refused, ...item }: WaitingItem): Item => item

export async function postItems(items: Item[]): Promise<Result[]> {
  const { results } = await request<{ results: Result[] }>('/api/outbox', { json: { items }, signedIn: false, timeout: 90_000 })
  return results
}

interface Row {
  k?: string
  state?: string
  parcel?: Parcel | null
  command: string | null
  upload: string | null
  offset: number
  error: string | null
}

/** Announced pictures only; a receipt is for the account's own sync, so their bytes stay until that, unless nobody can open it any more. */
async function pictures(db: IDBPDatabase): Promise<number> {
  const unsent = new Set((await db.getAllKeys('items')) as string[])
  const rows: [store: 'captures' | 'parcels', row: Row, parcel: Parcel][] = []
  for (const row of (await db.getAll('captures')) as Row[]) {
    if (row.parcel && (row.state === 'queued' || row.state === 'uploading')) rows.push(['captures', row, row.parcel])
  }
  for (const row of (await db.getAll('parcels')) as (WaitingParcel & Row)[]) rows.push(['parcels', row, row])
  rows.sort(([, , a], [, , b]) => a.bytes - b.bytes)
  let sent = 0
  for (const [store, row, parcel] of rows) {
    if ((row.command && unsent.has(row.command)) || row.offset >= parcel.bytes + TAG) continue
    const cipher = (await db.get('blobs', parcel.id)) as ArrayBuffer | undefined
    if (!cipher) continue
    try {
      await sendPicture(parcel, cipher, row.upload, (upload, offset) => note(db, store, row, parcel.id, { upload, offset }))
      sent++
      if (store === 'parcels') await db.delete('parcels', parcel.id).then(() => db.delete('blobs', parcel.id))
    } catch (error) {
      const problem = asProblem(error)
      if (!problem.status || problem.status === 429 || problem.status >= 502) throw problem
    }
  }
  return sent
}

export async function sendPicture(
  parcel: Parcel, cipher: ArrayBuffer, begun: string | null, keep: (upload: string | null, offset: number) => Promise<void>,
): Promise<void> {
  const { org, member, device, id, sha256, bytes } = parcel
  const at = serverNow()
  const proof = await signByDevice(`kilele-upload|${org}|${member}|${device}|${id}|${sha256}|${at}`)
  if (!proof) throw new Problem('insecure_context', 'This phone has no key')
  const sending: Upload = {
    id, sha256, bytes: bytes + TAG, sealed: parcelTag(parcel), upload: begun, proof: `${device}.${at}.${proof}`,
  }
  await upload(sending, cipher, keep)
}

async function note(db: IDBPDatabase, store: 'captures' | 'parcels', row: Row, id: string, change: Partial<Row>): Promise<void> {
  const tx = db.transaction(store, 'readwrite')
  const found = (await tx.store.get(store === 'captures' ? row.k! : id)) as Row | undefined
  if (found) await tx.store.put({ ...found, ...change, ...(store === 'captures' ? { state: 'uploading' } : {}) })
  await tx.done
}

async function left(db: IDBPDatabase): Promise<number> {
  const items = ((await db.getAll('items')) as WaitingItem[]).filter(({ refused }) => !refused)
  const waiting = ((await db.getAll('captures')) as Row[]).filter(
    ({ parcel, state, offset }) => parcel && (state === 'queued' || state === 'uploading') && offset < parcel.bytes + TAG,
  )
  return items.length + waiting.length + (await db.count('parcels'))
}
