// Reads what is sealed on a phone, with the key that the open app holds, by the app's own code.
import type { Page } from '@playwright/test'
import type { StoreName } from '../../../pwa/src/db/schema'
import { Sealer } from '../../../pwa/src/db/sealer'
import { PAIRS, SHELVES } from '../../../pwa/src/db/shelves'

export interface Opened {
  name: unknown
  value: unknown
}

/** Empty when nobody is open: the key comes from the worker, as after a reload. */
export async function openStore(page: Page, store: StoreName): Promise<Opened[]> {
  const found = await page.evaluate(rawStore, store)
  if (!found) return []
  const sealer = new Sealer(Uint8Array.from(found.key))
  return found.rows.map(({ key, row }) => {
    const value = SHELVES[store].get(sealer, revive(row) as never)
    if (PAIRS.has(store)) return { name: (value as [unknown, unknown])[0], value: (value as [unknown, unknown])[1] }
    return { name: store === 'blobs' ? key : SHELVES[store].named(value as never), value }
  })
}

interface Packed {
  $bytes?: string
  $buffer?: string
}

/** Bytes cross from the page as text. */
function revive(value: unknown): unknown {
  if (!value || typeof value !== 'object') return value
  const { $bytes, $buffer } = value as Packed
  if ($bytes !== undefined) return new Uint8Array(Buffer.from($bytes, 'base64'))
  if ($buffer !== undefined) return new Uint8Array(Buffer.from($buffer, 'base64')).buffer
  if (Array.isArray(value)) return value.map(revive)
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, revive(one)]))
}

/** Runs in the page. */
async function rawStore(store: string): Promise<{ key: number[]; rows: { key: IDBValidKey; row: unknown }[] } | null> {
  const worker = navigator.serviceWorker?.controller
  if (!worker) return null
  const held = await new Promise<{ vault: string; key: Uint8Array } | null>((done) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = ({ data }) => done(data)
    setTimeout(() => done(null), 2_000)
    worker.postMessage({ type: 'held?' }, [port2])
  })
  if (!held) return null
  const text = (bytes: Uint8Array) => {
    let chars = ''
    for (let i = 0; i < bytes.length; i += 8192) chars += String.fromCharCode(...bytes.subarray(i, i + 8192))
    return btoa(chars)
  }
  const pack = (value: unknown): unknown => {
    if (value instanceof ArrayBuffer) return { $buffer: text(new Uint8Array(value)) }
    if (ArrayBuffer.isView(value)) return { $bytes: text(new Uint8Array(value.buffer, value.byteOffset, value.byteLength)) }
    if (Array.isArray(value)) return value.map(pack)
    if (value && typeof value === 'object') return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, pack(one)]))
    return value
  }
  const name = `kilele-${held.vault}`
  const known = (await indexedDB.databases()).some((one) => one.name === name)
  if (!known) return null
  const db = await new Promise<IDBDatabase>((done, fail) => {
    const opening = indexedDB.open(name)
    opening.onsuccess = () => done(opening.result)
    opening.onerror = () => fail(opening.error)
  })
  try {
    const asked = <T>(request: IDBRequest<T>) =>
      new Promise<T>((done, fail) => {
        request.onsuccess = () => done(request.result)
        request.onerror = () => fail(request.error)
      })
    const from = db.transaction(store).objectStore(store)
    const [keys, rows] = await Promise.all([asked(from.getAllKeys()), asked(from.getAll())])
    return { key: [...held.key], rows: rows.map((row, i) => ({ key: keys[i]!, row: pack(row) })) }
  } finally {
    db.close()
  }
}
