// Sends the bytes of one photo by tus 1.0: resumable, in chunks that follow the speed of the link.
import { send } from '../api/client'
import { asProblem, Problem } from '../api/problem'
import { chunkSize, keepPace, lowerCeiling, measure, slower, takePace } from './pace'

export interface Upload {
  id: string
  sha256: string
  bytes: number
  /** The key to the bytes, sealed to the server, when they are ciphertext: base64. */
  sealed?: string | null
  /** In a session's place, from a phone that has none: `Kilele-Device-Proof`. */
  proof?: string
  /** Where an earlier attempt left off. */
  upload: string | null
  /**
   * Bytes of an earlier attempt were damaged: each chunk now carries its own hash, so that the server takes no damaged
   * one. Not before: a server drops what it has of a cut chunk that carries a hash, and keeps it of one that does not.
   */
  careful?: boolean
}

/** Called after every step that must outlive a crash. */
export type Keep = (upload: string | null, offset: number) => Promise<void>

/** A chunk may take this long; at the smallest size that is half a kilobyte a second. */
const PATIENCE = 120_000
/** The server may contradict us this often in a row before another day is better. */
const MOST_DETOURS = 4
const TUS = { 'Tus-Resumable': '1.0.0' }

interface Place {
  url: string
  offset: number
}

/** Resolves when the server has every byte; that is not yet its receipt. */
export async function upload(photo: Upload, bytes: ArrayBuffer, keep: Keep): Promise<void> {
  await takePace()
  let at = await resume(photo, keep)
  let detours = 0
  while (at.offset < bytes.byteLength) {
    const chunk = bytes.slice(at.offset, at.offset + chunkSize())
    const answer = await patch(photo, at, chunk)
    const reached = Number(answer.headers.get('Upload-Offset') ?? at.offset + chunk.byteLength)
    if (answer.ok && reached > at.offset && reached <= bytes.byteLength) {
      at = { url: at.url, offset: reached }
      detours = 0
      await keep(at.url, at.offset)
      continue
    }
    if (++detours > MOST_DETOURS) throw given(answer.status)
    if (answer.status === 413) await tooLarge(answer, chunk.byteLength)
    at = await elsewhere(photo, at, answer, keep)
  }
  await keepPace()
}

async function patch(photo: Upload, { url, offset }: Place, chunk: ArrayBuffer): Promise<Response> {
  const careful = photo.careful ?? false
  const checksum: Record<string, string> = careful ? { 'Upload-Checksum': `sha256 ${await base64Hash(chunk)}` } : {}
  const startedAt = performance.now()
  try {
    const answer = await send(url, {
      ...who(photo),
      method: 'PATCH',
      body: chunk,
      headers: { ...headers(photo), 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(offset), ...checksum },
      timeout: PATIENCE,
      expect: [404, 409, 410, 413, ...(careful ? [460] : [])],
    })
    if (answer.ok) measure(chunk.byteLength, performance.now() - startedAt)
    return answer
  } catch (error) {
    // Cut or too slow, unless the server said something else. The next cycle asks how far it got.
    if (asProblem(error).status === undefined) slower()
    throw error
  }
}

const given = (status: number): Problem =>
  status === 460
    ? new Problem('checksum_mismatch', 'Damaged again and again', { status })
    : new Problem('upload_moved', 'The upload kept changing', { status })

/** Another attempt got further than we know, a chunk was damaged, or the server forgot the upload: ask it. */
async function elsewhere(photo: Upload, { url }: Place, { status }: Response, keep: Keep): Promise<Place> {
  if (status === 404 || status === 410) return create(photo, keep)
  const stands = await head(photo, url)
  if (!stands && status === 460) throw new Problem('checksum_mismatch', 'Not the announced bytes', { status })
  if (!stands) return create(photo, keep)
  await keep(url, stands.offset)
  return stands
}

/** The server's own refusal is final; a proxy's concerns only the size of one request. */
async function tooLarge(answer: Response, size: number): Promise<void> {
  const said = (await answer.json().catch(() => ({}))) as { code?: string; message?: string }
  if (said.code || !lowerCeiling(size)) throw new Problem('too_large', said.message, { status: 413 })
}

async function resume(photo: Upload, keep: Keep): Promise<Place> {
  const stands = photo.upload ? await head(photo, photo.upload) : null
  if (!stands) return create(photo, keep)
  await keep(stands.url, stands.offset)
  return stands
}

/** Null when the server knows nothing of it any more, or knows it as something else. */
async function head(photo: Upload, url: string): Promise<Place | null> {
  const { bytes } = photo
  const answer = await send(url, { ...who(photo), method: 'HEAD', headers: headers(photo), expect: [403, 404, 410] })
  const offset = Number(answer.headers.get('Upload-Offset') ?? NaN)
  const length = Number(answer.headers.get('Upload-Length') ?? bytes)
  return answer.ok && Number.isInteger(offset) && offset >= 0 && offset <= bytes && length === bytes ? { url, offset } : null
}

/** Without data: bytes the server already has are acknowledged before any of them crosses the link again. */
async function create(photo: Upload, keep: Keep): Promise<Place> {
  const answer = await send('/api/uploads', {
    ...who(photo),
    method: 'POST',
    headers: {
      ...headers(photo),
      'Upload-Length': String(photo.bytes),
      'Upload-Metadata': `evidence ${btoa(photo.id)},${photo.sealed ? `sealed ${photo.sealed}` : `sha256 ${btoa(photo.sha256)}`}`,
    },
  })
  const url = ownPath(answer.headers.get('Location'))
  const offset = Number(answer.headers.get('Upload-Offset') ?? 0)
  await keep(url, offset)
  return { url, offset }
}

/** A proof by the device stands in for a session. */
const headers = ({ proof }: Upload): Record<string, string> => (proof ? { ...TUS, 'Kilele-Device-Proof': proof } : TUS)
const who = ({ proof }: Upload) => (proof ? { signedIn: false } : {})

/** Bytes go only to this server's own uploads, whatever the answer says. */
function ownPath(location: string | null): string {
  const path = location ? new URL(location, 'https://phone.invalid').pathname : ''
  if (!path.startsWith('/api/uploads/')) throw new Problem('offline', 'The server named no upload')
  return path
}

async function base64Hash(bytes: ArrayBuffer): Promise<string> {
  return btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))))
}
