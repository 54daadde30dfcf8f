// The people on this phone: for each one database, its wrapped key, and what a locked phone needs to deliver for them.
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import { asProblem } from '../api/problem'
import type { Id } from '../api/records'
import { base64url, utf8 } from '../bytes'
import { openSealed } from '../db/account'
import { pref, setPref } from '../db/prefs'
import { newId } from '../ids'
import { dropPictures } from '../sw/names'
import type { PinWrap, Wrapped } from './pin'
import type { Tries } from './tries'

export interface LockWrap extends Wrapped {
  /** The passkey of the phone's screen lock. */
  credential: ArrayBuffer
}

export interface Vault {
  /** Random; names the database. */
  id: string
  /** Whose it is, so that signing in finds it again: a hash under this phone's own salt, not the id. */
  owner: string
  /** In which organisation, hashed the same way; each has a database of its own. Older ones do not say until they are opened. */
  house?: string
  /** What the list of people shows before anything is unlocked: chosen by the person, initials unless they said more. */
  label: string
  pin: PinWrap | null
  lock: LockWrap | null
  /** Without it neither wrap opens: throwing it away throws the key away. */
  pepper: CryptoKey | null
  tries: Tries
  usedAt: number
  /** Signed out with unsent work: a password first, then the PIN. */
  signedOut?: boolean
  /** The administrator removed this phone: what is still sealed here is delivered, then everything goes. */
  revoked?: boolean
}

interface People extends DBSchema {
  vaults: { key: string; value: Vault }
}

export const PEOPLE_DB = 'kilele-people'
let opened: Promise<IDBPDatabase<People>> | null = null

function store(): Promise<IDBPDatabase<People>> {
  opened ??= openDB<People>(PEOPLE_DB, 1, {
    upgrade: (db) => void db.createObjectStore('vaults', { keyPath: 'id' }),
    // Whoever deletes or renews it, as a next version would, need not wait for an old page or the worker.
    blocking: (_from, _to, event) => {
      opened = null
      ;(event.target as IDBDatabase).close()
    },
    terminated: () => (opened = null),
  })
  return opened
}

export async function vaults(): Promise<Vault[]> {
  const all = await (await store()).getAll('vaults')
  return all.sort((a, b) => b.usedAt - a.usedAt)
}

export async function vault(id: string): Promise<Vault | undefined> {
  return (await store()).get('vaults', id)
}

/** Durable when it resolves: a counted try must not be lost with the battery. */
export async function keepVault(one: Vault): Promise<void> {
  const tx = (await store()).transaction('vaults', 'readwrite', { durability: 'strict' })
  await Promise.all([tx.store.put(one), tx.done])
}

/** Looks again and changes; on a full phone copies and the reserve make room, for its people must get in to make more. */
export async function changeVault(id: string, change: (one: Vault) => Vault): Promise<Vault> {
  for (const makeRoom of [dropPictures, () => dropReserve(id)]) {
    try {
      return await inOne(id, change)
    } catch (error) {
      if (asProblem(error).code !== 'storage_full') throw error
      await makeRoom()
    }
  }
  return inOne(id, change)
}

async function dropReserve(id: string): Promise<void> {
  const db = await openSealed(id)
  try {
    await db.clear('reserve')
  } finally {
    db.close()
  }
}

/** In one transaction, so that two tabs never undo each other's counting. */
async function inOne(id: string, change: (one: Vault) => Vault): Promise<Vault> {
  const tx = (await store()).transaction('vaults', 'readwrite', { durability: 'strict' })
  const found = await tx.store.get(id)
  if (!found) {
    await tx.done
    throw new Error('no such vault')
  }
  const changed = change(found)
  await Promise.all([tx.store.put(changed), tx.done])
  return changed
}

export async function dropVault(id: string): Promise<void> {
  await (await store()).delete('vaults', id)
}

export async function ownerOf(account: Id): Promise<string> {
  let salt = await pref('ownerSalt')
  if (!salt) {
    salt = newId()
    await setPref('ownerSalt', salt)
  }
  return base64url(await crypto.subtle.digest('SHA-256', utf8(`${salt}|${account}`)))
}

/** Under the same salt, and never the same text as an account's. */
export const houseOf = (organisation: Id): Promise<string> => ownerOf(`house|${organisation}`)

/** This person's vault in this organisation. */
export async function vaultOf(account: Id, organisation: Id): Promise<Vault | undefined> {
  const [owner, house] = await Promise.all([ownerOf(account), houseOf(organisation)])
  const theirs = (await vaults()).filter((one) => one.owner === owner)
  return theirs.find((one) => one.house === house) ?? theirs.find((one) => !one.house)
}

/** "Amina Otieno" → "AO". */
export const initials = (name: string): string =>
  name.split(/\s+/).filter(Boolean).map((word) => word[0]!.toUpperCase()).slice(0, 3).join('') || '?'
