// Marks outside IndexedDB who is on this phone and how much waits, in numbers and in sealed names: a database that vanishes is missed.
import type { Id, SealedNames } from '../api/records'

const KEY = 'kilele-marker'
const CACHE = 'kilele-marker'

export interface Mark {
  device: Id
  people: Record<string, Waits & { at: number }>
}

export interface Waits {
  records: number
  photos: number
  /** What they are, for the server's eyes. */
  names?: SealedNames
}

/** Either place is enough: browsers do not clear them together. */
export async function readMark(): Promise<Mark | null> {
  const kept = globalThis.localStorage?.getItem(KEY) ?? (await cached())
  try {
    return kept ? (JSON.parse(kept) as Mark) : null
  } catch {
    return null
  }
}

export async function mark(device: Id, vault: string, waiting: Waits): Promise<void> {
  const before = (await readMark())?.people ?? {}
  // Until the new names are sealed, the old ones say more than none.
  const names = waiting.names ?? (waiting.records + waiting.photos ? before[vault]?.names : undefined)
  await write({ device, people: { ...before, [vault]: { ...waiting, ...(names ? { names } : {}), at: Date.now() } } })
}

export async function forget(vault: string): Promise<void> {
  const before = await readMark()
  if (!before?.people[vault]) return
  const { [vault]: _gone, ...people } = before.people
  await write({ ...before, people })
}

async function write(now: Mark): Promise<void> {
  const text = JSON.stringify(now)
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
