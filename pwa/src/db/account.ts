// Opens one person's database with their key and hands it to whoever reads or writes.
import { openDB, type IDBPDatabase } from 'idb'
import { asProblem, Problem } from '../api/problem'
import type { Meta, StoreName } from './schema'
import type { SealedDb, SealedTx } from './sealed'

export type AccountDb = SealedDb
export type Tx = SealedTx

/** `vault`: a random name that says nothing about whose it is. */
export const accountDbName = (vault: string): string => `kilele-${vault}`

let current: AccountDb | null = null
let lost: (() => void) | null = null

/** What lies there, sealed: for deliveries from a locked phone, and for throwing it away. */
export function openSealed(vault: string): Promise<IDBPDatabase> {
  return openDB(accountDbName(vault), 2, {
    upgrade(db, from) {
      db.createObjectStore('delivered', { keyPath: 'k' })
      db.createObjectStore('spares', { keyPath: 'k' })
      if (from) return
      const records = db.createObjectStore('records', { keyPath: ['kind', 'k'] })
      records.createIndex('feed', 'f')
      records.createIndex('subject', ['kind', 's'])
      records.createIndex('state', ['kind', 't'])
      records.createIndex('at', ['kind', 'a'])
      const outbox = db.createObjectStore('outbox', { keyPath: 'seq', autoIncrement: true })
      outbox.createIndex('id', 'id', { unique: true })
      outbox.createIndex('records', 'records', { multiEntry: true })
      const captures = db.createObjectStore('captures', { keyPath: 'k' })
      captures.createIndex('subject', 'subject')
      captures.createIndex('state', 'state')
      captures.createIndex('draft', 'draft')
      db.createObjectStore('blobs')
      db.createObjectStore('drafts', { keyPath: 'k' })
      db.createObjectStore('cursors', { keyPath: 'k' })
      db.createObjectStore('attention', { keyPath: 'k' }).createIndex('records', 'records', { multiEntry: true })
      db.createObjectStore('meta', { keyPath: 'k' })
      db.createObjectStore('items', { keyPath: 'id' })
      db.createObjectStore('parcels', { keyPath: 'id' })
      db.createObjectStore('reserve')
    },
    blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
    terminated: () => lost?.(),
  })
}

export async function openAccount(vault: string, key: Uint8Array): Promise<AccountDb> {
  const [raw, { unseal }] = await Promise.all([openSealed(vault), import('./unsealed')])
  return unseal(raw, key)
}

/** Makes this the person whose data the app shows; null locks it. */
export async function useAccount(vault: string | null, key?: Uint8Array): Promise<void> {
  const before = current
  current = null
  before?.sealer.forget()
  before?.close()
  if (vault && key) current = await openAccount(vault, key)
}

/** The browser closed the database under us (storage cleared, profile gone). */
export function onStorageLost(then: () => void): void {
  lost = then
}

export function database(): AccountDb {
  if (!current) throw new Problem('signed_out', 'No account is open on this phone')
  return current
}

export const hasAccount = (): boolean => current !== null

/** One transaction over several stores; strict ones survive a power cut once they resolve. */
export async function transact<T>(
  stores: StoreName[],
  durability: 'strict' | 'relaxed',
  work: (tx: Tx) => Promise<T>,
  db: AccountDb = database(),
): Promise<T> {
  const tx = db.transaction(stores, 'readwrite', { durability })
  // A failed request also fails `done`; without a listener that would be an unhandled rejection.
  const done = tx.done.then(() => null, (error: unknown) => error ?? new DOMException('aborted', 'AbortError'))
  try {
    const value = await work(tx)
    const failure = await done
    if (failure) throw failure
    return value
  } catch (error) {
    try {
      tx.abort()
    } catch {
      // Already over.
    }
    const failure = await done
    throw asProblem((failure as Error | null)?.name === 'QuotaExceededError' ? failure : error)
  }
}

export async function readMeta<K extends keyof Meta>(key: K, db = database()): Promise<Meta[K] | undefined> {
  return (await db.get('meta', key)) as Meta[K] | undefined
}

export async function writeMeta<K extends keyof Meta>(key: K, value: Meta[K], db = database()): Promise<void> {
  await db.put('meta', value, key)
}
