// The blurred picture is a bitmap that any browser reads, in the colours that the hash holds.
import { expect, test } from 'vitest'
import { placeholderUrl } from '../src/ui/thumbhash'

/** A picture of one colour: brightness, yellowness and redness of 6 bits each, and no waves. */
function even(light: number, yellow: number, red: number): string {
  const head = light | (yellow << 6) | (red << 12)
  const size = 4 // by 3: portrait
  const bytes = [head & 255, (head >> 8) & 255, (head >> 16) & 255, size, 0, ...Array<number>(12).fill(0x77)]
  return btoa(String.fromCharCode(...bytes))
}

function pixels(url: string): { width: number; height: number; first: number[] } {
  expect(url).toMatch(/^data:image\/bmp;base64,/)
  const bytes = Uint8Array.from(atob(url.split(',')[1]!), (c) => c.charCodeAt(0))
  const view = new DataView(bytes.buffer)
  expect(String.fromCharCode(bytes[0]!, bytes[1]!)).toBe('BM')
  expect(view.getUint32(2, true)).toBe(bytes.length)
  const [width, height] = [view.getInt32(18, true), view.getInt32(22, true)]
  expect(bytes.length).toBe(54 + height * ((3 * width + 3) & ~3))
  return { width, height, first: [...bytes.slice(54, 57)].reverse() }
}

test('a hash becomes a small bitmap in its colours', () => {
  const grey = pixels(placeholderUrl(even(32, 32, 32))!)
  expect(Math.max(grey.width, grey.height)).toBe(14)
  for (const value of grey.first) expect(Math.abs(value - 130)).toBeLessThan(12)
  const [red, green, blue] = pixels(placeholderUrl(even(32, 32, 60))!).first
  expect(red! - green!).toBeGreaterThan(80)
  expect(blue! - green!).toBeGreaterThan(-20)
  expect(pixels(placeholderUrl(even(63, 32, 32))!).first[1]).toBeGreaterThan(240)
})

test('what is no hash is no picture', () => {
  expect(placeholderUrl(null)).toBeNull()
  expect(placeholderUrl('***')).toBeNull()
})
