// Throws away what a person could read on this phone. What is sealed to the server stays until it has arrived.
import type { IDBPDatabase } from 'idb'
import { accountDbName, openSealed } from '../db/account'
import type { Parcel, WaitingParcel } from '../db/schema'
import { PICTURES } from '../sw/names'
import { forget } from './marker'
import { changeVault, dropVault, vault } from './vaults'

export interface Wiped {
  /** Unfinished forms, which only this phone had. */
  drafts: number
  /** Sealed commands and pictures that will still be delivered. */
  waiting: number
}

const READABLE = ['records', 'outbox', 'captures', 'drafts', 'cursors', 'attention', 'meta', 'delivered', 'spares'] as const

interface Shelved {
  state: string
  parcel: Parcel | null
  command: string | null
  upload: string | null
  offset: number
}

export async function wipeReadable(id: string): Promise<Wiped> {
  // The key goes first: should the rest be interrupted, nobody can read it any more.
  if (await vault(id)) await changeVault(id, (one) => ({ ...one, pin: null, lock: null, pepper: null }))
  await forgetPictures(id)
  const db = await openSealed(id)
  try {
    return await clear(db)
  } finally {
    db.close()
  }
}

async function clear(db: IDBPDatabase): Promise<Wiped> {
  const tx = db.transaction([...READABLE, 'items', 'parcels', 'blobs'], 'readwrite', { durability: 'strict' })
  const parcels = tx.objectStore('parcels')
  for (const { state, parcel, command, upload, offset } of (await tx.objectStore('captures').getAll()) as Shelved[]) {
    if (!parcel || state === 'draft' || state === 'acknowledged') continue
    await parcels.put({ ...parcel, command, upload, offset, error: null } satisfies WaitingParcel)
  }
  const kept = new Set(await parcels.getAllKeys())
  for (const blob of await tx.objectStore('blobs').getAllKeys()) if (!kept.has(blob)) await tx.objectStore('blobs').delete(blob)
  const drafts = await tx.objectStore('drafts').count()
  const waiting = kept.size + (await tx.objectStore('items').count())
  for (const store of READABLE) await tx.objectStore(store).clear()
  await tx.done
  return { drafts, waiting }
}

/** Everything of this person, once nothing sealed waits any more. */
export async function forgetPerson(id: string): Promise<void> {
  await dropVault(id)
  await forgetPictures(id)
  await forget(id)
  indexedDB.deleteDatabase(accountDbName(id))
}

async function forgetPictures(id: string): Promise<void> {
  if (typeof caches !== 'undefined') await caches.delete(PICTURES + id)
}
