// Keeps small pictures on this phone within a bound: the ones looked at longest ago make room, all of them for records.
import { dropPictures } from './names'

export interface Bound {
  count: number
  bytes: number
}
/** A caseload of faces, and the cards of the visits looked at lately. */
export const BOUND: Bound = { count: 600, bytes: 16_000_000 }
/** For an answer that does not say its length. */
const SUPPOSED = 30_000

/** What each cache keeps, oldest first, with its size: asked of the cache once in the worker's life. */
const kept = new Map<string, Promise<Map<string, number>>>()
/** One change at a time, so that two pictures do not both believe there is room. */
let last: Promise<unknown> = Promise.resolve()

/** From this phone, or null. `later` is told of work that may go on after the answer. */
export async function find(name: string, path: string, later: (work: Promise<unknown>) => void): Promise<Response | null> {
  const cache = await caches.open(name)
  const found = await cache.match(path)
  if (!found) return null
  const again = found.clone()
  later(inTurn(() => touch(name, cache, path, again)))
  return found
}

export async function forget(name: string, path: string): Promise<void> {
  await inTurn(async () => {
    await (await caches.open(name)).delete(path)
    kept.delete(name)
  })
}

export function keep(name: string, path: string, fresh: Response, bound = BOUND): Promise<void> {
  return inTurn(async () => {
    try {
      const cache = await caches.open(name)
      const all = await known(name, cache)
      const size = sizeOf(fresh)
      await cache.put(path, fresh)
      all.delete(path)
      all.set(path, size)
      await makeRoom(cache, all, bound)
    } catch {
      // Without space nothing is kept; records and photos need it more.
      kept.clear()
      await dropPictures()
    }
  })
}

/** Written again only when it stands among the older half: a picture seen every day is not written every day. */
async function touch(name: string, cache: Cache, path: string, again: Response): Promise<void> {
  const all = await known(name, cache)
  const size = all.get(path) ?? sizeOf(again)
  const older = [...all.keys()].indexOf(path) < all.size / 2
  if (!older) return
  all.delete(path)
  all.set(path, size)
  // The order of the cache is what the next worker finds.
  await cache.put(path, again).catch(() => undefined)
}

async function makeRoom(cache: Cache, all: Map<string, number>, { count, bytes }: Bound): Promise<void> {
  let sum = [...all.values()].reduce((total, size) => total + size, 0)
  for (const [path, size] of all) {
    if (all.size <= count && sum <= bytes) return
    await cache.delete(path)
    all.delete(path)
    sum -= size
  }
}

async function known(name: string, cache: Cache): Promise<Map<string, number>> {
  const names = (await cache.keys()).map(({ url }) => new URL(url).pathname)
  const before = await kept.get(name)
  // Somebody else emptied it: a person who signed out, or a photo that needed the space.
  if (before?.size === names.length) return before
  const sizes = Promise.all(names.map(async (path) => [path, sizeOf(await cache.match(path))] as const)).then((all) => new Map(all))
  kept.set(name, sizes)
  return sizes
}

const sizeOf = (answer: Response | undefined): number => Number(answer?.headers.get('Content-Length')) || SUPPOSED

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = last.then(work)
  last = turn.catch(() => undefined)
  return turn
}
