// Makes a picture small enough to send from a village: downscaled with care, then JPEG under 350 kB, upright, without EXIF.
import { judge } from './judge'

export const LONGEST_SIDE = 1_600
export const MOST_BYTES = 350_000
/** The server takes no larger file. */
export const LARGEST_ORIGINAL = 25 * 1024 * 1024
const QUALITIES = [0.82, 0.74, 0.66, 0.58, 0.5, 0.42, 0.34]
/** What each quality makes of the first one's bytes, roughly: which to try next instead of all in turn. */
const SHARES = [1, 0.82, 0.7, 0.62, 0.55, 0.49, 0.43]

export interface Shrunk {
  bytes: ArrayBuffer
  /** JPEG unless the camera's own file is kept. */
  mime?: string
  width: number
  height: number
  sha256: string
  dark: boolean
  blurred: boolean
}

/** The size with its longer side at most `most`, never larger than it was. */
export function fit(width: number, height: number, most = LONGEST_SIDE): { width: number; height: number } {
  const scale = Math.min(1, most / Math.max(width, height))
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }
}

/** With `original`, a file that the server can read stays as it came; it is still looked at, for the hint and its size. */
export async function shrink(source: Blob | ImageBitmap, original = false): Promise<Shrunk> {
  // The browser turns it upright; what it was turned by, and where it was taken, ends here.
  const picture = source instanceof Blob ? await createImageBitmap(source, { imageOrientation: 'from-image' }) : source
  const [from, { width, height }] = [{ width: picture.width, height: picture.height }, fit(picture.width, picture.height)]
  const canvas = downscale(picture, width, height)
  picture.close()
  const hint = judge(...greyOf(canvas))
  const kept = original && source instanceof Blob ? await asItCame(source) : null
  const { bytes, mime, size } = kept ? { ...kept, size: from } : await encode(canvas)
  const hash = await crypto.subtle.digest('SHA-256', bytes)
  const sha256 = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return { bytes, mime, ...size, sha256, ...hint }
}

/**
 * Browsers shrink in one go by picking from halved copies, which blurs and shimmers. Twice the wanted size first, then
 * exact halves, where every pixel is the mean of four, comes nearer to what a good resampler makes, at the same cost.
 */
function downscale(picture: ImageBitmap, width: number, height: number): OffscreenCanvas {
  if (picture.width < width * 2) return drawn(picture, width, height)
  return drawn(picture.width === width * 2 ? picture : drawn(picture, width * 2, height * 2), width, height)
}

function drawn(picture: CanvasImageSource, width: number, height: number): OffscreenCanvas {
  const canvas = new OffscreenCanvas(width, height)
  // Read back at once: drawn by the processor, not fetched from a graphics card.
  const pen = canvas.getContext('2d', { alpha: false, willReadFrequently: true })!
  pen.imageSmoothingQuality = 'medium'
  pen.drawImage(picture, 0, 0, width, height)
  return canvas
}

/** Steps down in quality, and then in size, until it fits: noise has no good quality at 350 kB. */
async function encode(canvas: OffscreenCanvas): Promise<{ bytes: ArrayBuffer; mime: string; size: { width: number; height: number } }> {
  let at = 0
  let jpeg = await canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITIES[0] })
  const first = jpeg.size
  while (jpeg.size > MOST_BYTES && at < QUALITIES.length - 1) {
    const likely = SHARES.findIndex((share) => share * first <= MOST_BYTES)
    at = Math.max(at + 1, likely === -1 ? QUALITIES.length - 1 : likely)
    jpeg = await canvas.convertToBlob({ type: 'image/jpeg', quality: QUALITIES[at] })
  }
  const { width, height } = canvas
  if (jpeg.size > MOST_BYTES) return encode(drawn(canvas, Math.max(1, Math.round(width * 0.75)), Math.max(1, Math.round(height * 0.75))))
  return { bytes: await jpeg.arrayBuffer(), mime: 'image/jpeg', size: { width, height } }
}

/** Null for what the server would set aside: the small copy is then the better evidence. */
async function asItCame(file: Blob): Promise<{ bytes: ArrayBuffer; mime: string } | null> {
  if (file.size > LARGEST_ORIGINAL) return null
  const bytes = await file.arrayBuffer()
  const mime = kindOf(new Uint8Array(bytes, 0, Math.min(12, bytes.byteLength)))
  return mime ? { bytes, mime } : null
}

/** By its first bytes: what a file is called proves nothing. */
export function kindOf(head: Uint8Array): string | null {
  const text = String.fromCharCode(...head)
  if (text.startsWith('\xff\xd8\xff')) return 'image/jpeg'
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'image/png'
  return text.startsWith('RIFF') && text.slice(8, 12) === 'WEBP' ? 'image/webp' : null
}

function greyOf(canvas: OffscreenCanvas): [Uint8ClampedArray, number, number] {
  const { width, height } = fit(canvas.width, canvas.height, 800)
  const { data } = drawn(canvas, width, height).getContext('2d')!.getImageData(0, 0, width, height)
  const grey = new Uint8ClampedArray(width * height)
  for (let i = 0, at = 0; i < grey.length; i++, at += 4) grey[i] = 0.3 * data[at]! + 0.59 * data[at + 1]! + 0.11 * data[at + 2]!
  return [grey, width, height]
}
