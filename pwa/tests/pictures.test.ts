// Cached pictures keep within their bound, oldest out first, and give way to what must be stored.
import { beforeEach, expect, test, vi } from 'vitest'
import { withRoom } from '../src/captures/room'
import { PICTURES } from '../src/sw/names'

const NAME = `${PICTURES}somebody`

/** As much of the browser's cache as the worker uses: in order of the last put. */
class Kept {
  readonly stock = new Map<string, { body: string; headers: Record<string, string> }>()
  writes = 0
  full = false
  async match(path: string): Promise<Response | undefined> {
    const found = this.stock.get(path)
    return found && new Response(found.body, { headers: found.headers })
  }
  async put(path: string, answer: Response): Promise<void> {
    if (this.full) throw new DOMException('', 'QuotaExceededError')
    this.writes++
    this.stock.delete(path)
    this.stock.set(path, { body: await answer.text(), headers: Object.fromEntries(answer.headers) })
  }
  async delete(path: string): Promise<boolean> {
    return this.stock.delete(path)
  }
  async keys(): Promise<{ url: string }[]> {
    return [...this.stock.keys()].map((path) => ({ url: `https://phone${path}` }))
  }
}

let cache: Kept | null
let pictures: typeof import('../src/sw/pictures')
const stock = () => [...(cache?.stock.keys() ?? [])]
const picture = (size: number) => new Response('x', { headers: { 'Content-Length': String(size) } })
const look = async (path: string) => {
  const work: Promise<unknown>[] = []
  const found = await pictures.find(NAME, path, (more) => void work.push(more))
  await Promise.all(work)
  return found
}
/** Another start of the worker: it knows only what the cache holds. */
const restart = async () => {
  vi.resetModules()
  pictures = await import('../src/sw/pictures')
}

beforeEach(async () => {
  cache = null
  globalThis.caches = {
    open: async () => (cache ??= new Kept()),
    keys: async () => (cache ? [NAME] : []),
    delete: async (name: string) => {
      const there = name === NAME && cache !== null
      cache = null
      return there
    },
  } as unknown as CacheStorage
  await restart()
})

test('no more than so many, and the ones looked at longest ago go first', async () => {
  for (let i = 0; i < 6; i++) await pictures.keep(NAME, `/p${i}`, picture(10), { count: 5, bytes: 1_000 })
  expect(stock()).toEqual(['/p1', '/p2', '/p3', '/p4', '/p5'])
  expect(await look('/p1')).not.toBeNull()
  await pictures.keep(NAME, '/p6', picture(10), { count: 5, bytes: 1_000 })
  expect(stock()).toEqual(['/p3', '/p4', '/p5', '/p1', '/p6'])
})

test('no more than so many bytes', async () => {
  for (let i = 0; i < 4; i++) await pictures.keep(NAME, `/p${i}`, picture(300), { count: 100, bytes: 1_000 })
  expect(stock()).toEqual(['/p1', '/p2', '/p3'])
  await pictures.keep(NAME, '/large', picture(800), { count: 100, bytes: 1_000 })
  expect(stock()).toEqual(['/large'])
  await pictures.keep(NAME, '/larger', picture(1_001), { count: 100, bytes: 1_000 })
  expect(stock()).toEqual([])
})

test('many at once keep within the bound too', async () => {
  await Promise.all(Array.from({ length: 40 }, (_, i) => pictures.keep(NAME, `/p${i}`, picture(100), { count: 7, bytes: 10_000 })))
  expect(stock()).toHaveLength(7)
})

test('the next worker goes on with what it finds, in the same order and with the same bound', async () => {
  for (let i = 0; i < 5; i++) await pictures.keep(NAME, `/p${i}`, picture(200), { count: 100, bytes: 1_000 })
  await look('/p0')
  await restart()
  await pictures.keep(NAME, '/new', picture(400), { count: 100, bytes: 1_000 })
  expect(stock()).toEqual(['/p3', '/p4', '/p0', '/new'])
})

test('a picture that is seen every day is not written every day', async () => {
  for (let i = 0; i < 10; i++) await pictures.keep(NAME, `/p${i}`, picture(10))
  const before = cache!.writes
  for (let i = 0; i < 20; i++) await look('/p9')
  expect(cache!.writes).toBe(before)
})

test('emptied by somebody else, it begins again with the right sum', async () => {
  for (let i = 0; i < 3; i++) await pictures.keep(NAME, `/p${i}`, picture(300), { count: 100, bytes: 1_000 })
  await caches.delete(NAME)
  expect(await look('/p1')).toBeNull()
  for (let i = 0; i < 3; i++) await pictures.keep(NAME, `/q${i}`, picture(300), { count: 100, bytes: 1_000 })
  expect(stock()).toEqual(['/q0', '/q1', '/q2'])
})

test('when the phone is full every cached picture goes, and the answer is shown all the same', async () => {
  await pictures.keep(NAME, '/p0', picture(10))
  cache!.full = true
  await pictures.keep(NAME, '/p1', picture(10))
  expect(cache).toBeNull()
})

test('a photo that finds no room is kept once the cached pictures are gone', async () => {
  await pictures.keep(NAME, '/p0', picture(10))
  let tries = 0
  const store = async () => {
    tries++
    if (cache) throw new DOMException('', 'QuotaExceededError')
    return 'kept'
  }
  expect(await withRoom(store)).toBe('kept')
  expect(tries).toBe(2)
  // Nothing left to give, neither pictures nor what the server has nor the reserve: said, not tried for ever.
  const never = vi.fn(async () => {
    throw new DOMException('', 'QuotaExceededError')
  })
  await expect(withRoom(never)).rejects.toMatchObject({ name: 'QuotaExceededError' })
  expect(never).toHaveBeenCalledTimes(4)
})
