// Pictures from the server, kept on this phone: sealed by the open person's key, under names that say nothing.
import { base64url, utf8 } from '../bytes'
import { ask, pictureKeys, type PictureKeys } from './held'
import { PICTURES } from './names'
import * as pictures from './pictures'

const IV = 12

/** Pictures never change; the ones looked at longest ago make room. Without a key nothing is kept or found. */
export async function picture(request: Request, client: string, later: (work: Promise<unknown>) => void): Promise<Response> {
  const { pathname } = new URL(request.url)
  const keys = await pictureKeys(client)
  const kept = keys && (await find(keys, pathname, later))
  if (kept) return kept
  let fresh = await fetch(request)
  if (fresh.status === 401) {
    // The page renews the session: whose it is, only the page knows.
    await ask(client, 'renew')
    fresh = await fetch(pathname, { credentials: 'same-origin' })
  }
  // A redirect to the bucket is opaque in its length and short-lived: only our own answers are kept.
  if (keys && fresh.ok && !fresh.redirected) later(keep(keys, pathname, fresh.clone()))
  return fresh
}

async function find(keys: PictureKeys, path: string, later: (work: Promise<unknown>) => void): Promise<Response | null> {
  const [cache, name] = [PICTURES + keys.vault, await nameOf(keys, path)]
  const found = await pictures.find(cache, name, later)
  if (!found) return null
  const whole = await found.arrayBuffer()
  try {
    const bytes = await crypto.subtle.decrypt(gcm(whole.slice(0, IV), path), keys.seal, whole.slice(IV))
    const { type, start } = header(bytes)
    return new Response(bytes.slice(start), { headers: { 'Content-Type': type } })
  } catch {
    // Sealed under an earlier key, or damaged: it is fetched again.
    later(pictures.forget(cache, name))
    return null
  }
}

async function keep(keys: PictureKeys, path: string, fresh: Response): Promise<void> {
  const type = utf8(fresh.headers.get('Content-Type') ?? 'image/jpeg')
  const plain = new Blob([new Uint8Array([type.length]), type, await fresh.arrayBuffer()])
  const iv = crypto.getRandomValues(new Uint8Array(IV))
  const sealed = new Blob([iv, await crypto.subtle.encrypt(gcm(iv.buffer, path), keys.seal, await plain.arrayBuffer())])
  const answer = new Response(sealed, { headers: { 'Content-Length': String(sealed.size) } })
  await pictures.keep(PICTURES + keys.vault, await nameOf(keys, path), answer)
}

const gcm = (iv: ArrayBuffer, path: string) => ({ name: 'AES-GCM', iv, additionalData: utf8(path) })

async function nameOf({ name }: PictureKeys, path: string): Promise<string> {
  return `/sealed/${base64url(await crypto.subtle.sign('HMAC', name, utf8(path)))}`
}

function header(bytes: ArrayBuffer): { type: string; start: number } {
  const length = new Uint8Array(bytes, 0, 1)[0]!
  return { type: new TextDecoder().decode(new Uint8Array(bytes, 1, length)), start: 1 + length }
}
