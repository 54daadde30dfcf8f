// Sends the bytes of one photo by tus 1.0: resumable, in chunks that follow the speed of the link.
import { send } from '../api/client'
import { Problem } from '../api/problem'
import { now } from '../clock'

export interface Upload {
  id: string
  sha256: string
  bytes: number
  /** Where an earlier attempt left off. */
  upload: string | null
}

/** Called after every step that must outlive a crash. */
export type Keep = (upload: string | null, offset: number) => Promise<void>

export const SMALLEST = 64 * 1024
export const LARGEST = 1024 * 1024
const SECONDS_A_CHUNK = 3
const TUS = { 'Tus-Resumable': '1.0.0' }

/** Bytes a second, as last measured; a first guess for a slow link. */
let speed = SMALLEST / SECONDS_A_CHUNK

export const chunkSize = (): number => Math.max(SMALLEST, Math.min(LARGEST, Math.round(speed * SECONDS_A_CHUNK)))

/** Resolves when the server has every byte; that is not yet its receipt. */
export async function upload(photo: Upload, bytes: ArrayBuffer, keep: Keep): Promise<void> {
  let { url, offset } = await resume(photo, keep)
  let moved = 0
  while (offset < bytes.byteLength) {
    const chunk = bytes.slice(offset, offset + chunkSize())
    const startedAt = now()
    const answer = await send(url, {
      method: 'PATCH',
      body: chunk,
      headers: { ...TUS, 'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(offset) },
      timeout: 120_000,
      expect: [404, 409, 410],
    })
    if (!answer.ok) {
      // Another attempt got further than we know, or the server forgot the upload: ask it, a few times at most.
      if (++moved > 3) throw new Problem('upload_moved', 'The upload kept changing', { status: answer.status })
      ;({ url, offset } = await resume({ ...photo, upload: answer.status === 409 ? url : null }, keep))
      continue
    }
    offset = Number(answer.headers.get('Upload-Offset') ?? offset + chunk.byteLength)
    measure(chunk.byteLength, now() - startedAt)
    await keep(url, offset)
  }
}

async function resume(photo: Upload, keep: Keep): Promise<{ url: string; offset: number }> {
  if (photo.upload) {
    const answer = await send(photo.upload, { method: 'HEAD', headers: TUS, expect: [403, 404, 410] })
    const offset = Number(answer.headers.get('Upload-Offset') ?? NaN)
    if (answer.ok && Number.isInteger(offset)) {
      await keep(photo.upload, offset)
      return { url: photo.upload, offset }
    }
  }
  const answer = await send('/api/uploads', {
    method: 'POST',
    headers: {
      ...TUS,
      'Upload-Length': String(photo.bytes),
      'Upload-Metadata': `evidence ${btoa(photo.id)},sha256 ${btoa(photo.sha256)}`,
    },
  })
  const url = ownPath(answer.headers.get('Location'))
  const offset = Number(answer.headers.get('Upload-Offset') ?? 0)
  await keep(url, offset)
  return { url, offset }
}

/** Bytes go only to this server's own uploads, whatever the answer says. */
function ownPath(location: string | null): string {
  const path = location ? new URL(location, 'https://phone.invalid').pathname : ''
  if (!path.startsWith('/api/uploads/')) throw new Problem('offline', 'The server named no upload')
  return path
}

function measure(bytes: number, ms: number): void {
  const seen = (bytes * 1000) / Math.max(ms, 1)
  speed = speed * 0.5 + seen * 0.5
}
