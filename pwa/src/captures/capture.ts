// Takes photos in: shrunk, hashed and durable on this phone before anyone is told that they are saved.
import { Problem } from '../api/problem'
import type { Capture, Id, Slot, SubjectKind } from '../api/records'
import { now } from '../clock'
import { database, transact } from '../db/account'
import { changed } from '../db/changes'
import type { CaptureMeta } from '../db/schema'
import { newId } from '../ids'
import { retryPhoto } from '../sync/photos'
import { wake } from '../sync/engine'
import type { Shrunk } from './shrink'

export type { CaptureMeta }

export interface About {
  draft: Id
  subject_kind: SubjectKind
  subject: Id
  slot: Slot
  supersedes?: Id | null
  place?: { lat: number; lon: number; accuracy_m: number } | null
}

/** A second photo for the same slot of the same draft takes the first one's place. */
export async function addCapture(file: Blob, about: About): Promise<CaptureMeta> {
  const captured_at = now()
  // Read at once: some phones take the camera's file away while the page is busy.
  const picture = await inWorker(new Blob([await file.arrayBuffer()], { type: file.type }))
  return keepCapture(picture, about, captured_at)
}

export async function keepCapture(picture: Shrunk, about: About, captured_at = now()): Promise<CaptureMeta> {
  const { draft, subject_kind, subject, slot, supersedes = null, place } = about
  const { bytes, sha256, width, height, dark, blurred } = picture
  const meta: CaptureMeta = {
    id: newId(), draft, command: null, subject_kind, subject, slot, mime: 'image/jpeg', bytes: bytes.byteLength, sha256,
    width, height, captured_at, lat: place?.lat ?? null, lon: place?.lon ?? null,
    accuracy_m: place?.accuracy_m ?? null, supersedes, state: 'draft', upload: null, offset: 0, restarts: 0,
    receipt: null, error: null, dark, blurred,
  }
  await transact(['captures', 'blobs'], 'strict', async (tx) => {
    const store = tx.objectStore('captures')
    for (const earlier of await store.index('draft').getAll(draft)) {
      if (earlier.slot !== slot) continue
      meta.supersedes ??= earlier.supersedes
      await store.delete(earlier.id)
      await tx.objectStore('blobs').delete(earlier.id)
    }
    await store.put(meta)
    await tx.objectStore('blobs').put(bytes, meta.id)
  })
  changed(['captures'])
  return meta
}

/** Only photos that no command has taken over can be thrown away. */
export async function discardCapture(id: Id): Promise<void> {
  await transact(['captures', 'blobs'], 'strict', async (tx) => {
    const found = await tx.objectStore('captures').get(id)
    if (found?.state !== 'draft') return
    await tx.objectStore('captures').delete(id)
    await tx.objectStore('blobs').delete(id)
  })
  changed(['captures'])
}

/** Those of a visit or household that this phone knows of, in the order they were taken. */
export async function capturesOf(subject: Id): Promise<CaptureMeta[]> {
  const found = await database().getAllFromIndex('captures', 'subject', subject)
  return found.sort((a, b) => a.captured_at - b.captured_at)
}

/** Photos that the engine gave up on, of any record. */
export async function failedCaptures(): Promise<CaptureMeta[]> {
  return database().getAllFromIndex('captures', 'state', 'failed')
}

export async function retryCapture(id: Id): Promise<void> {
  await retryPhoto(database(), id)
  wake()
}

/** As a command announces it. */
export function toCapture(meta: CaptureMeta): Capture {
  const { id, slot, mime, bytes, sha256, width, height, captured_at, lat, lon, accuracy_m, supersedes } = meta
  return { id, slot, mime, bytes, sha256, width, height, captured_at, lat, lon, accuracy_m, supersedes }
}

let worker: Worker | null = null
let jobs = 0

async function inWorker(file: Blob): Promise<Shrunk> {
  if (!globalThis.crypto?.subtle) throw new Problem('insecure_context', 'Photos need a secure (https) address')
  // Older browsers cannot draw in a worker; they also lack OffscreenCanvas, which the worker file itself needs.
  if (typeof OffscreenCanvas === 'undefined') throw new Problem('browser_too_old', 'This browser cannot shrink photos')
  worker ??= new Worker(new URL('./shrink.worker.ts', import.meta.url), { type: 'module' })
  const own = worker
  const job = ++jobs
  return new Promise((resolve, reject) => {
    const over = () => {
      own.removeEventListener('message', answered)
      own.removeEventListener('error', broke)
    }
    const answered = ({ data }: MessageEvent<{ job: number; done?: Shrunk; failed?: string }>) => {
      if (data.job !== job) return
      over()
      if (data.done) resolve(data.done)
      else reject(new Problem('not_a_picture', data.failed))
    }
    const broke = () => {
      over()
      own.terminate()
      if (worker === own) worker = null
      reject(new Problem('not_a_picture', 'The picture could not be read'))
    }
    own.addEventListener('message', answered)
    own.addEventListener('error', broke)
    own.postMessage({ job, file })
  })
}
