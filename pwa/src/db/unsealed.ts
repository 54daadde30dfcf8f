// Puts a key to a sealed database. Apart from the rest because only an unlocked app needs it.
import type { IDBPDatabase } from 'idb'
import { SealedDb } from './sealed'
import { Sealer } from './sealer'

export const unseal = (raw: IDBPDatabase, key: Uint8Array): SealedDb => new SealedDb(raw, new Sealer(key))
