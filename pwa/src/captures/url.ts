// Addresses of photos for <img>: the bytes on this phone while it has them, the server's copy after that.
import type { Id } from '../api/records'
import { database, type AccountDb } from '../db/account'
import { openPicture } from './locker'

export type Variant = 'thumb' | 'card' | 'full'

/** Give it back with `releaseUrl` when the picture is gone from the screen. */
export async function captureUrl(id: Id, variant: Variant = 'card'): Promise<string> {
  const db = database()
  const cipher = await blobs(db).get(id)
  const photo = cipher && (await db.get('captures', id))
  if (!cipher || !photo) return mediaUrl(id, variant)
  return URL.createObjectURL(new Blob([await openPicture(cipher, photo.secret)], { type: photo.mime }))
}

export const mediaUrl = (id: Id, variant: Variant): string => `/api/media/${id}/${variant}`

export function releaseUrl(url: string): void {
  if (url.startsWith('blob:')) URL.revokeObjectURL(url)
}

let look: { db: AccountDb; blobs: ReturnType<typeof open> } | null = null
const open = (db: AccountDb) => db.transaction(['blobs']).objectStore('blobs')

/** What is asked for in one turn, as by the rows of a list, is one look into the database: a slow phone waits for each. */
function blobs(db: AccountDb): ReturnType<typeof open> {
  if (look?.db !== db) {
    look = { db, blobs: open(db) }
    queueMicrotask(() => (look = null))
  }
  return look.blobs
}
