// Delivers the photos that wait: smallest first, one at a time on a slow link, each failing for itself alone.
import { asProblem, type Problem } from '../api/problem'
import { transact, type AccountDb } from '../db/account'
import { changed } from '../db/changes'
import type { CaptureMeta } from '../db/schema'
import { isFast } from './pace'
import { report } from './report'
import { upload } from './tus'
import { toWire, wireBytes } from './wire'

/** Failures of the link or the server, after which the next photo would fare no better. */
const NOT_NOW = new Set([401, 408, 423, 429, 502, 503, 504])
/** Photos at once on a link that is fast; else one, so that each is whole as early as it can be. */
const MOST_LANES = 2

/** Says how many were delivered; throws only what concerns all of them. */
export async function deliverPhotos(db: AccountDb, interrupted: () => Promise<boolean>): Promise<number> {
  const waiting = await ready(db)
  const inFlight = new Set<string>()
  const lanes: Promise<void>[] = []
  let running = 0
  let delivered = 0
  let trouble: unknown = null

  const lane = async (): Promise<void> => {
    running++
    try {
      while (trouble === null && waiting.length > 0 && (running === 1 || isFast()) && !(await interrupted())) {
        const next = waiting.shift()
        if (!next) break
        if (running < MOST_LANES && waiting.length > 0 && isFast()) lanes.push(lane())
        inFlight.add(next.id)
        report({ inFlight: [...inFlight], phase: 'photos' })
        // Bytes damaged on the way are worth one new attempt at once.
        if ((await deliver(db, next.id)) || (await deliver(db, next.id))) delivered++
        inFlight.delete(next.id)
        report({ inFlight: [...inFlight] })
      }
    } catch (error) {
      trouble ??= error
    } finally {
      running--
    }
  }
  lanes.push(lane())
  // A lane may open a second one while it runs.
  for (let i = 0; i < lanes.length; i++) await lanes[i]
  report({ inFlight: [] })
  if (trouble !== null) throw trouble
  return delivered
}

async function deliver(db: AccountDb, id: string): Promise<boolean> {
  const [photo, bytes] = await Promise.all([db.get('captures', id), db.get('blobs', id)])
  if (!photo || (photo.state !== 'queued' && photo.state !== 'uploading') || photo.error) return false
  if (!bytes) {
    await note(db, id, { state: 'failed', error: 'bytes_missing' })
    return false
  }
  try {
    const [sending, wire] = await toWire(photo, bytes)
    const careful = photo.restarts > 0
    await upload({ ...sending, careful }, wire, (url, offset) => note(db, id, { state: 'uploading', upload: url, offset }))
    return true
  } catch (error) {
    const problem = asProblem(error)
    if (passing(problem)) throw problem
    await note(db, id, failed(photo, problem))
    return false
  }
}

/** Those whose announcing command has been accepted and whose bytes are not all delivered, smallest first. */
async function ready(db: AccountDb): Promise<CaptureMeta[]> {
  const [captures, outbox, attention] = await Promise.all([
    db.getAll('captures'),
    db.getAll('outbox'),
    db.getAllKeys('attention'),
  ])
  // What the server broke over in an earlier turn has another chance in this one.
  for (const { id, state, error } of captures) if (state === 'queued' && error) await note(db, id, { error: null })
  const unsent = new Set([...outbox.filter(({ done }) => !done).map(({ id }) => id), ...attention])
  return captures
    .filter((photo) => {
      const { state, command, offset } = photo
      return (state === 'queued' || (state === 'uploading' && offset < wireBytes(photo))) && !(command && unsent.has(command))
    })
    .sort((a, b) => a.bytes - b.bytes)
}

function passing({ code, status }: Problem): boolean {
  return code === 'offline' || code === 'cut' || code === 'timeout' || code === 'signed_out' || code.startsWith('storage_') || NOT_NOW.has(status ?? 0)
}

/** A wrong hash on arrival is worth one new attempt: bytes were damaged on the way. */
function failed(photo: CaptureMeta, problem: Problem): Partial<CaptureMeta> {
  if (problem.status === 460 && photo.restarts === 0) {
    return { state: 'queued', upload: null, offset: 0, restarts: 1, error: null }
  }
  // A server's own fault, and an upload that others changed, are tried again in the next cycle, after all the others.
  if ((problem.status ?? 0) >= 500 || problem.code === 'upload_moved') return { state: 'queued', error: problem.code }
  return { state: 'failed', upload: null, offset: 0, error: problem.code }
}

async function note(db: AccountDb, id: string, change: Partial<CaptureMeta>): Promise<void> {
  await transact(['captures'], 'relaxed', async (tx) => {
    const store = tx.objectStore('captures')
    const found = await store.get(id)
    if (found && found.state !== 'acknowledged') await store.put({ ...found, ...change })
  }, db)
  changed(['captures'])
}

/** The person's wish to try a failed photo again. */
export async function retryPhoto(db: AccountDb, id: string): Promise<void> {
  await note(db, id, { state: 'queued', upload: null, offset: 0, restarts: 0, error: null })
}
