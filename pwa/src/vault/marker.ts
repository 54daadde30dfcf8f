// Marks outside IndexedDB who is on this phone and how much waits, in numbers and in sealed names: a database that vanishes is missed.
import type { Id, SealedNames } from '../api/records'

const KEY = 'kilele-marker'
const CACHE = 'kilele-marker'

export interface Mark {
  device: Id
  /** Grows with each writing. */
  turn?: number
  people: Record<string, Waits & { at: number }>
}

export interface Waits {
  records: number
  photos: number
  /** What they are, for the server's eyes. */
  names?: SealedNames
}

/**
 * Either place is enough: browsers do not clear them together. What was written last counts: a browser that is killed may
 * come back with a local storage of a minute ago.
 */
export async function readMark(): Promise<Mark | null> {
  const near = parsed(globalThis.localStorage?.getItem(KEY))
  const far = parsed(await cached())
  return near && far ? (turnOf(far) > turnOf(near) ? far : near) : (near ?? far)
}

const turnOf = ({ turn = 0 }: Mark) => turn

function parsed(kept: string | null | undefined): Mark | null {
  try {
    return kept ? (JSON.parse(kept) as Mark) : null
  } catch {
    return null
  }
}

export async function mark(device: Id, vault: string, waiting: Waits): Promise<void> {
  const last = await readMark()
  const before = last?.people ?? {}
  // Until the new names are sealed, the old ones say more than none.
  const names = waiting.names ?? (waiting.records + waiting.photos ? before[vault]?.names : undefined)
  const people = { ...before, [vault]: { ...waiting, ...(names ? { names } : {}), at: Date.now() } }
  await write({ device, people, ...(last ? { turn: turnOf(last) } : {}) })
}

export async function forget(vault: string): Promise<void> {
  const before = await readMark()
  if (!before?.people[vault]) return
  const { [vault]: _gone, ...people } = before.people
  await write({ ...before, people })
}

async function write(now: Mark): Promise<void> {
  const text = JSON.stringify({ ...now, turn: turnOf(now) + 1 })
  try {
    globalThis.localStorage?.setItem(KEY, text)
  } catch {
    // Full, or not allowed: the other place remains.
  }
  if (typeof caches === 'undefined') return
  await (await caches.open(CACHE)).put('/marker', new Response(text)).catch(() => undefined)
}

async function cached(): Promise<string | null> {
  if (typeof caches === 'undefined') return null
  const found = await caches.match('/marker', { cacheName: CACHE }).catch(() => undefined)
  return found ? found.text() : null
}
