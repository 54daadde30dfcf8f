// Addresses of photos for <img>: the bytes on this phone while it has them, the server's copy after that.
import type { Id } from '../api/records'
import { database } from '../db/account'

export type Variant = 'thumb' | 'card' | 'full'

/** Give it back with `releaseUrl` when the picture is gone from the screen. */
export async function captureUrl(id: Id, variant: Variant = 'card'): Promise<string> {
  const bytes = await database().get('blobs', id)
  return bytes ? URL.createObjectURL(new Blob([bytes], { type: 'image/jpeg' })) : mediaUrl(id, variant)
}

export const mediaUrl = (id: Id, variant: Variant): string => `/api/media/${id}/${variant}`

export function releaseUrl(url: string): void {
  if (url.startsWith('blob:')) URL.revokeObjectURL(url)
}
