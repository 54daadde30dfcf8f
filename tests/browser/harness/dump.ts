// Everything a thief finds on a phone that script can reach: all databases, caches and texts, as they lie there.
import type { Page } from '@playwright/test'

/** One long text; bytes as Latin letters, so that words in them are found. */
export const dump = (page: Page): Promise<string> =>
  page.evaluate(async () => {
    const texts: string[] = [JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage }), document.cookie]
    const latin = (bytes: Uint8Array) => {
      let text = ''
      for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
      return text
    }
    const flat = (value: unknown): string => {
      if (value instanceof ArrayBuffer) return latin(new Uint8Array(value))
      if (ArrayBuffer.isView(value)) return latin(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
      if (Array.isArray(value)) return value.map(flat).join('\n')
      if (value && typeof value === 'object') return Object.entries(value).map(([name, one]) => `${name}=${flat(one)}`).join('\n')
      return String(value)
    }
    const asked = <T>(request: IDBRequest<T>) =>
      new Promise<T>((done, fail) => {
        request.onsuccess = () => done(request.result)
        request.onerror = () => fail(request.error)
      })
    for (const { name } of await indexedDB.databases()) {
      texts.push(name!)
      const db = await asked(indexedDB.open(name!))
      for (const store of db.objectStoreNames) {
        const from = db.transaction(store).objectStore(store)
        texts.push(...(await Promise.all([asked(from.getAllKeys()), asked(from.getAll())])).map(flat))
      }
      db.close()
    }
    for (const name of await caches.keys()) {
      // The application itself names nobody.
      if (name.startsWith('kilele-shell-')) continue
      const cache = await caches.open(name)
      for (const key of await cache.keys()) texts.push(key.url, latin(new Uint8Array(await (await cache.match(key))!.arrayBuffer())))
    }
    return texts.join('\n')
  })

/** Those of the secrets that lie there in clear. */
export const foundIn = (text: string, secrets: Iterable<string>): string[] => [...new Set(secrets)].filter((one) => text.includes(one))
