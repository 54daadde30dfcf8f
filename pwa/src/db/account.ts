// Opens the signed-in account's database and hands it to whoever reads or writes.
import { openDB, type IDBPDatabase, type IDBPTransaction } from 'idb'
import { asProblem, Problem } from '../api/problem'
import type { AccountSchema, Meta, StoreName } from './schema'

export type AccountDb = IDBPDatabase<AccountSchema>
export type Tx<Mode extends IDBTransactionMode = 'readwrite'> = IDBPTransaction<AccountSchema, StoreName[], Mode>

export const accountDbName = (account: string): string => `kilele-${account}`

let current: AccountDb | null = null
let lost: (() => void) | null = null

export async function openAccount(account: string): Promise<AccountDb> {
  return openDB<AccountSchema>(accountDbName(account), 1, {
    upgrade(db) {
      const records = db.createObjectStore('records', { keyPath: ['kind', 'id'] })
      records.createIndex('feed', 'feed')
      records.createIndex('subject', ['kind', 'subject'])
      records.createIndex('state', ['kind', 'state'])
      records.createIndex('at', ['kind', 'at'])
      records.createIndex('sort', 'sort')
      const outbox = db.createObjectStore('outbox', { keyPath: 'seq', autoIncrement: true })
      outbox.createIndex('id', 'id', { unique: true })
      outbox.createIndex('records', 'records', { multiEntry: true })
      const captures = db.createObjectStore('captures', { keyPath: 'id' })
      captures.createIndex('subject', 'subject')
      captures.createIndex('state', 'state')
      captures.createIndex('draft', 'draft')
      db.createObjectStore('blobs')
      db.createObjectStore('drafts', { keyPath: 'id' })
      db.createObjectStore('cursors')
      db.createObjectStore('attention', { keyPath: 'id' }).createIndex('records', 'records', { multiEntry: true })
      db.createObjectStore('meta')
    },
    blocking: (_from, _to, event) => (event.target as IDBDatabase).close(),
    terminated: () => lost?.(),
  })
}

/** Makes `account` the one whose data the app shows. */
export async function useAccount(account: string | null): Promise<void> {
  current?.close()
  current = account ? await openAccount(account) : null
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
