// The mark outside the database that a vanished one is missed by, kept in two places of which either may be gone or old.
import { beforeEach, expect, test, vi } from 'vitest'
import { forget, mark, readMark } from '../src/vault/marker'

const local = new Map<string, string>()
const cache = new Map<string, string>()

beforeEach(() => {
  local.clear()
  cache.clear()
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => local.get(key) ?? null,
    setItem: (key: string, value: string) => void local.set(key, value),
  })
  vi.stubGlobal('caches', {
    open: async () => ({ put: async (path: string, response: Response) => void cache.set(path, await response.text()) }),
    match: async (path: string) => (cache.has(path) ? new Response(cache.get(path)) : undefined),
  })
})

test('either place is enough', async () => {
  await mark('device-1', 'amina', { records: 2, photos: 1 })
  const kept = new Map(local)
  local.clear()
  expect((await readMark())?.people.amina).toMatchObject({ records: 2, photos: 1 })
  for (const [key, value] of kept) local.set(key, value)
  cache.clear()
  expect((await readMark())?.people.amina).toMatchObject({ records: 2, photos: 1 })
})

test('a place that is back to what it was a minute ago is not believed, whichever it is', async () => {
  for (const place of [local, cache]) {
    await mark('device-1', 'gone', { records: 3, photos: 0 })
    await mark('device-1', 'amina', { records: 0, photos: 0 })
    const old = new Map(place)
    await forget('gone')
    await mark('device-1', 'amina', { records: 1, photos: 0 })
    // The browser was killed before it had written this.
    for (const [key, value] of old) place.set(key, value)
    expect(Object.keys((await readMark())!.people)).toEqual(['amina'])
    await mark('device-1', 'amina', { records: 2, photos: 0 })
    expect((await readMark())!.people).toEqual({ amina: expect.objectContaining({ records: 2 }) })
  }
})

test('what is no mark is none', async () => {
  await mark('device-1', 'amina', { records: 2, photos: 1 })
  local.set('kilele-marker', '{"device":')
  expect((await readMark())?.people.amina).toMatchObject({ records: 2 })
  cache.clear()
  expect(await readMark()).toBeNull()
})
