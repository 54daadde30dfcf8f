// Pictures drawn in the browser while a story runs: as large as a camera's, with what a camera writes into them.
import type { Page } from '@playwright/test'

/** A village scene of 12 megapixels, `noise` for a picture that hardly compresses. */
export type Kind = 'scene' | 'noise' | 'blurred' | 'dark'

export async function draw(page: Page, kind: Kind, width = 4000, height = 3000): Promise<Buffer> {
  const base64 = await page.evaluate(drawn, { kind, width, height })
  return Buffer.from(base64, 'base64')
}

/** Puts EXIF before the picture: lying on its side (6 = a quarter turn), and where it was taken. */
export function withExif(jpeg: Buffer, orientation: number): Buffer {
  const exif = Buffer.alloc(98)
  exif.write('Exif\0\0', 0, 'latin1')
  exif.write('II*\0', 6, 'latin1')
  exif.writeUInt32LE(8, 10)
  exif.writeUInt16LE(2, 14)
  entry(exif, 16, 0x0112, 3, 1, orientation)
  entry(exif, 28, 0x8825, 4, 1, 38)
  // The GPS part at 38: latitude south.
  exif.writeUInt16LE(2, 6 + 38)
  entry(exif, 6 + 40, 1, 2, 2, 'S'.charCodeAt(0))
  entry(exif, 6 + 52, 2, 5, 3, 68)
  for (const [i, value] of [0, 18, 4].entries()) {
    exif.writeUInt32LE(value, 6 + 68 + i * 8)
    exif.writeUInt32LE(1, 6 + 72 + i * 8)
  }
  const head = Buffer.from([0xff, 0xd8, 0xff, 0xe1, 0, 0])
  head.writeUInt16BE(exif.length + 2, 4)
  return Buffer.concat([head, exif, jpeg.subarray(2)])
}

function entry(into: Buffer, at: number, tag: number, type: number, count: number, value: number): void {
  into.writeUInt16LE(tag, at)
  into.writeUInt16LE(type, at + 2)
  into.writeUInt32LE(count, at + 4)
  into.writeUInt32LE(value, at + 8)
}

/** Runs in the page. */
async function drawn({ kind, width, height }: { kind: Kind; width: number; height: number }): Promise<string> {
  const canvas = new OffscreenCanvas(width, height)
  const pen = canvas.getContext('2d')!
  let dice = 7
  const roll = (most: number) => ((dice = (dice * 1_103_515_245 + 12_345) & 0x7fffffff) >> 8) % most
  if (kind === 'noise') {
    const image = pen.createImageData(width, height)
    for (let i = 0; i < image.data.length; i++) image.data[i] = i % 4 === 3 ? 255 : roll(256)
    pen.putImageData(image, 0, 0)
  } else {
    // A blurred one is drawn small and enlarged: blurring each stroke by itself takes a slow machine minutes.
    const wide = kind === 'blurred' ? Math.round(width / 60) : width
    const scene = kind === 'blurred' ? new OffscreenCanvas(wide, Math.round((wide * height) / width)) : canvas
    const brush = scene.getContext('2d')!
    const sky = brush.createLinearGradient(0, 0, 0, scene.height)
    sky.addColorStop(0, '#9cc9ee')
    sky.addColorStop(1, '#8a6b45')
    brush.fillStyle = sky
    brush.fillRect(0, 0, wide, scene.height)
    // Leaves, walls and faces enough for a photo's detail, down to a few pixels.
    for (let i = 0; i < (kind === 'blurred' ? 400 : 6_000); i++) {
      const size = kind === 'blurred' ? 1 + roll(wide / 10) : 4 + roll(i % 20 ? 60 : width / 10)
      brush.fillStyle = `rgb(${roll(256)} ${60 + roll(160)} ${roll(200)})`
      brush.fillRect(roll(wide), roll(scene.height), size, Math.min(4, size) + roll(size))
    }
    if (kind === 'blurred') {
      pen.imageSmoothingQuality = 'high'
      pen.drawImage(scene, 0, 0, width, height)
    }
    if (kind === 'dark') {
      pen.fillStyle = 'rgb(0 0 0 / 0.88)'
      pen.fillRect(0, 0, width, height)
    }
  }
  const bytes = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.93 })).arrayBuffer())
  let text = ''
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
  return btoa(text)
}
