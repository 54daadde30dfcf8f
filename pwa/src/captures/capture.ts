// Takes photos in: shrunk, hashed and durable on this phone before anyone is told that they are saved.
import type { Capture, Id, Slot, SubjectKind } from '../api/records'
import { now } from '../clock'
import { database, transact } from '../db/account'
import { changed } from '../db/changes'
import type { CaptureMeta } from '../db/schema'
import { newId } from '../ids'
import { retryPhoto } from '../sync/photos'
import { wake } from '../sync/engine'
import { sealPicture } from '../vault/parcel'
import { lockPicture } from './locker'
import { withRoom } from './room'
import type { Shrunk } from './shrink'

export type { CaptureMeta }

export interface About {
  draft: Id
  subject_kind: SubjectKind
  subject: Id
  slot: Slot
  supersedes?: Id | null
  place?: { lat: number; lon: number; accuracy_m: number } | null
  /** One more of this slot, such as a second receipt. */
  beside?: boolean
}

/** A second photo for the same slot of the same draft takes the first one's place, unless it stands beside it. */
export async function keepCapture(picture: Shrunk, about: About, captured_at = now()): Promise<CaptureMeta> {
  const { draft, subject_kind, subject, slot, supersedes = null, place, beside = false } = about
  const { bytes, sha256, width, height, dark, blurred, mime = 'image/jpeg' } = picture
  const meta: CaptureMeta = {
    id: newId(), draft, command: null, subject_kind, subject, slot, mime, bytes: bytes.byteLength, sha256,
    width, height, captured_at, lat: place?.lat ?? null, lon: place?.lon ?? null,
    accuracy_m: place?.accuracy_m ?? null, supersedes, state: 'draft', upload: null, offset: 0, restarts: 0,
    receipt: null, error: null, dark, blurred, parcel: null,
  }
  const { secret, cipher } = await lockPicture(bytes)
  meta.secret = secret
  meta.parcel = await sealPicture(meta)
  await withRoom(() => transact(['captures', 'blobs'], 'strict', async (tx) => {
    const store = tx.objectStore('captures')
    for (const earlier of await store.index('draft').getAll(draft)) {
      if (beside || earlier.slot !== slot) continue
      meta.supersedes ??= earlier.supersedes
      await store.delete(earlier.id)
      await tx.objectStore('blobs').delete(earlier.id)
    }
    await store.put(meta)
    await tx.objectStore('blobs').put(cipher, meta.id)
  }))
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
