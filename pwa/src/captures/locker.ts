// Keeps the bytes of pictures on this phone as ciphertext only: each under a key of its own, used once.
import { base64url, fromBase64url } from '../bytes'

/** What AES-GCM adds to the picture. */
export const TAG = 16
// A key that seals one text only may do so under any nonce; this one needs no keeping.
const GCM = { name: 'AES-GCM', iv: new Uint8Array(12) }

export async function lockPicture(bytes: ArrayBuffer): Promise<{ secret: string; cipher: ArrayBuffer }> {
  const raw = crypto.getRandomValues(new Uint8Array(32))
  const key = await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt'])
  const cipher = await crypto.subtle.encrypt(GCM, key, bytes)
  return { secret: base64url(raw), cipher }
}

/** Without a secret the bytes are the picture itself. */
export async function openPicture(cipher: ArrayBuffer, secret: string | null | undefined): Promise<ArrayBuffer> {
  if (!secret) return cipher
  const key = await crypto.subtle.importKey('raw', fromBase64url(secret), 'AES-GCM', false, ['decrypt'])
  return crypto.subtle.decrypt(GCM, key, cipher)
}
