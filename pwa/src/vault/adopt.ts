// Seals what version 0.1 kept in clear, in one transaction, and then removes it.
import { openDB } from 'idb'
import { lockPicture } from '../captures/locker'
import { openAccount, transact } from '../db/account'
import type { CaptureMeta, Row, StoreName } from '../db/schema'
import type { Opened } from './people'

const STORES = ['records', 'outbox', 'captures', 'blobs', 'drafts', 'cursors', 'attention', 'meta'] as const

/** Both databases exist until the sealed one is complete: an interruption leaves the old one as it was. */
export async function adopt(account: string, { vault, key }: Opened): Promise<void> {
  const name = `kilele-${account}`
  if (!(await indexedDB.databases()).some((one) => one.name === name)) return
  const old = await openDB(name)
  const fresh = await openAccount(vault.id, key)
  try {
    const captures = (await old.getAll('captures')) as CaptureMeta[]
    const locked = new Map<string, { secret: string; cipher: ArrayBuffer }>()
    for (const { id } of captures) {
      const bytes = (await old.get('blobs', id)) as ArrayBuffer | undefined
      if (bytes) locked.set(id, await lockPicture(bytes))
    }
    const rest = new Map<string, [unknown[], IDBValidKey[]]>()
    for (const store of STORES) rest.set(store, [await old.getAll(store), await old.getAllKeys(store)])
    await transact([...STORES] as StoreName[], 'strict', async (tx) => {
      for (const row of rest.get('records')![0] as (Row & { sort?: string })[]) await tx.objectStore('records').put(row)
      for (const store of ['outbox', 'drafts', 'attention'] as const) {
        for (const value of rest.get(store)![0]) await tx.objectStore(store).put(value as never)
      }
      for (const store of ['cursors', 'meta'] as const) {
        const [values, keys] = rest.get(store)!
        for (const [i, value] of values.entries()) await tx.objectStore(store).put(value as never, keys[i] as never)
      }
      for (const photo of captures) {
        const picture = locked.get(photo.id)
        // Bytes that go up from now on are a sealed upload, which is another one than the plain one that was begun.
        await tx.objectStore('captures').put({ ...photo, secret: picture?.secret ?? null, parcel: null })
        if (picture) await tx.objectStore('blobs').put(picture.cipher, photo.id)
      }
    }, fresh)
  } finally {
    old.close()
    fresh.close()
  }
  indexedDB.deleteDatabase(name)
}
