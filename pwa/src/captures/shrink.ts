// Makes a picture small enough to send from a village: one high-quality resize, then JPEG under 350 kB.

export const LONGEST_SIDE = 1_600
export const MOST_BYTES = 350_000
const QUALITIES = [0.82, 0.74, 0.66, 0.58, 0.5, 0.42, 0.34]

export interface Shrunk {
  bytes: ArrayBuffer
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

/** Mean brightness under which a face is hardly seen, and edge strength under which print is hardly read. */
const DARK = 45
const SHARP = 18

/** A hint for the person to take the picture again; `grey` is a small picture, row by row. */
export function judge(grey: Uint8ClampedArray | number[], width: number, height: number): { dark: boolean; blurred: boolean } {
  let sum = 0
  for (const value of grey) sum += value
  let edges = 0
  let squares = 0
  let count = 0
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x
      const laplace = 4 * grey[at]! - grey[at - 1]! - grey[at + 1]! - grey[at - width]! - grey[at + width]!
      edges += laplace
      squares += laplace * laplace
      count++
    }
  }
  const variance = count ? squares / count - (edges / count) ** 2 : 0
  return { dark: sum / Math.max(1, grey.length) < DARK, blurred: variance < SHARP }
}

export async function shrink(file: Blob): Promise<Shrunk> {
  const picture = await decode(file)
  const { width, height } = fit(picture.width, picture.height)
  const canvas = new OffscreenCanvas(width, height)
  const pen = canvas.getContext('2d', { alpha: false })!
  pen.imageSmoothingQuality = 'high'
  pen.drawImage(picture, 0, 0, width, height)
  picture.close()
  const hint = judge(...small(canvas))
  let jpeg: Blob | null = null
  for (const quality of QUALITIES) {
    jpeg = await canvas.convertToBlob({ type: 'image/jpeg', quality })
    if (jpeg.size <= MOST_BYTES) break
  }
  const bytes = await jpeg!.arrayBuffer()
  const hash = await crypto.subtle.digest('SHA-256', bytes)
  const sha256 = Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return { bytes, width, height, sha256, ...hint }
}

/** Decodes at its final size where the browser can, which spares a phone the memory for 12 megapixels. */
async function decode(file: Blob): Promise<ImageBitmap> {
  const whole = await createImageBitmap(file, { imageOrientation: 'from-image' })
  const { width, height } = fit(whole.width, whole.height)
  if (width === whole.width) return whole
  const resized = await createImageBitmap(whole, { resizeWidth: width, resizeHeight: height, resizeQuality: 'high' })
  whole.close()
  return resized
}

function small(canvas: OffscreenCanvas): [number[], number, number] {
  const { width, height } = fit(canvas.width, canvas.height, 320)
  const copy = new OffscreenCanvas(width, height)
  const pen = copy.getContext('2d', { alpha: false, willReadFrequently: true })!
  pen.drawImage(canvas, 0, 0, width, height)
  const { data } = pen.getImageData(0, 0, width, height)
  const grey: number[] = []
  for (let at = 0; at < data.length; at += 4) grey.push(0.3 * data[at]! + 0.59 * data[at + 1]! + 0.11 * data[at + 2]!)
  return [grey, width, height]
}
