// The small database outside the accounts: this phone's identity and choices.
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { Id, Language } from '../api/records'

/** As version 0.1 kept it, in clear; gone once the account is sealed. */
export interface KnownAccount {
  id: Id
  name: string
  login: string
}

export interface Prefs {
  device: Id
  deviceKey: CryptoKeyPair
  account: KnownAccount | null
  accounts: KnownAccount[]
  language: Language
  theme: 'system' | 'light' | 'dark' | 'contrast'
  /** When the session was last renewed, by whichever tab. */
  refreshedAt: number
  /** What the device signs to renew the session; belongs to the newest refresh cookie. */
  refreshChallenge: string | undefined
  /** Signed out without a network: the server is told when there is one. */
  signOutPending: boolean
  /** Bytes a second that photos went up with, by kind of link. */
  linkSpeeds: Record<string, number>
  /** Who was open last, by the vault's id. */
  vault: string | null
  /** Whose session the browser's cookies hold. */
  cookies: string | null
  ownerSalt: string
}

interface PrefsSchema extends DBSchema {
  prefs: { key: keyof Prefs; value: Prefs[keyof Prefs] }
}

let opened: Promise<IDBPDatabase<PrefsSchema>> | null = null

function open(): Promise<IDBPDatabase<PrefsSchema>> {
  opened ??= openDB<PrefsSchema>('kilele', 1, {
    upgrade: (db) => void db.createObjectStore('prefs'),
    // Whoever deletes or renews it, as a next version would, need not wait for an old page or the worker.
    blocking: (_from, _to, event) => {
      opened = null
      ;(event.target as IDBDatabase).close()
    },
    terminated: () => (opened = null),
  })
  return opened
}

export async function pref<K extends keyof Prefs>(key: K): Promise<Prefs[K] | undefined> {
  return (await (await open()).get('prefs', key)) as Prefs[K] | undefined
}

export async function setPref<K extends keyof Prefs>(key: K, value: Prefs[K]): Promise<void> {
  await (await open()).put('prefs', value, key)
}

export async function dropPref(key: keyof Prefs): Promise<void> {
  await (await open()).delete('prefs', key)
}

/** Several at once, for the start of the app. */
export async function prefs<K extends keyof Prefs>(...keys: K[]): Promise<{ [P in K]?: Prefs[P] }> {
  const tx = (await open()).transaction('prefs')
  const values = await Promise.all(keys.map((key) => tx.store.get(key)))
  return Object.fromEntries(keys.map((key, i) => [key, values[i]])) as { [P in K]?: Prefs[P] }
}
