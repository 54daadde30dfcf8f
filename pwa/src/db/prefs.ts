// The small database outside the accounts: this phone's identity and choices.
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { Id, Language } from '../api/records'

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
  /** Signed out without a network: the server is told when there is one. */
  signOutPending: boolean
}

interface PrefsSchema extends DBSchema {
  prefs: { key: keyof Prefs; value: Prefs[keyof Prefs] }
}

let opened: Promise<IDBPDatabase<PrefsSchema>> | null = null

function open(): Promise<IDBPDatabase<PrefsSchema>> {
  opened ??= openDB<PrefsSchema>('kilele', 1, {
    upgrade: (db) => void db.createObjectStore('prefs'),
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

/** Several at once, for the start of the app. */
export async function prefs<K extends keyof Prefs>(...keys: K[]): Promise<{ [P in K]?: Prefs[P] }> {
  const tx = (await open()).transaction('prefs')
  const values = await Promise.all(keys.map((key) => tx.store.get(key)))
  return Object.fromEntries(keys.map((key, i) => [key, values[i]])) as { [P in K]?: Prefs[P] }
}
