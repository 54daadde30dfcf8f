// What is said about a photo and about how the phone is held, from numbers alone.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { heldAs, isLevel } from '../src/capture/level'
import { judge } from '../src/captures/judge'
import { fit, kindOf } from '../src/captures/shrink'

const [WIDTH, HEIGHT] = [800, 600]
function picture(at: (x: number, y: number) => number): Float64Array {
  return Float64Array.from({ length: WIDTH * HEIGHT }, (_, i) => at(i % WIDTH, Math.floor(i / WIDTH)))
}
const print = picture((x, y) => 150 + 80 * Math.sign(Math.sin(x / 3) * Math.sin(y / 4)))
/** Means along rows, then columns: what a lens out of focus does. */
function soften(grey: Float64Array, radius: number): Float64Array {
  const along = (from: Float64Array, step: number, place: (i: number) => number, length: number) =>
    from.map((_, i) => {
      let [sum, count] = [0, 0]
      for (let d = -radius; d <= radius; d++) {
        if (place(i) + d < 0 || place(i) + d >= length) continue
        sum += from[i + d * step]!
        count++
      }
      return sum / count
    })
  const rows = along(grey, 1, (i) => i % WIDTH, WIDTH)
  return along(rows, WIDTH, (i) => Math.floor(i / WIDTH), HEIGHT)
}

test('print in focus is sharp, the same out of focus is not', () => {
  expect(judge(print, WIDTH, HEIGHT)).toEqual({ dark: false, blurred: false })
  expect(judge(soften(print, 14), WIDTH, HEIGHT)).toEqual({ dark: false, blurred: true })
})

test('a sharp face before a soft wall is sharp', () => {
  const face = picture((x, y) => (x > 250 && x < 550 && y > 150 && y < 450 ? print[y * WIDTH + x]! : 160 + x / 50))
  expect(judge(face, WIDTH, HEIGHT).blurred).toBe(false)
})

test('one speck makes no sharp picture', () => {
  const speck = picture((x, y) => (x === 400 && y === 300 ? 255 : 160))
  expect(judge(speck, WIDTH, HEIGHT).blurred).toBe(true)
})

test('in the dark only the dark is spoken of', () => {
  expect(judge(print.map((value) => value / 8), WIDTH, HEIGHT)).toEqual({ dark: true, blurred: false })
})

test('any picture, however small, is judged without a fault', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 0, max: 255 }), (w, h, value) => {
      const { dark, blurred } = judge(new Array(w * h).fill(value), w, h)
      return typeof dark === 'boolean' && typeof blurred === 'boolean'
    }),
  )
})

test('the longer side is 1,600 at most, and nothing grows', () => {
  expect(fit(4000, 3000)).toEqual({ width: 1600, height: 1200 })
  expect(fit(3000, 4000)).toEqual({ width: 1200, height: 1600 })
  expect(fit(640, 480)).toEqual({ width: 640, height: 480 })
  expect(fit(20_000, 3)).toEqual({ width: 1600, height: 1 })
})

test('a file is what its first bytes say', () => {
  const head = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0))
  expect(kindOf(head('\xff\xd8\xff\xe1\0\0'))).toBe('image/jpeg')
  expect(kindOf(head('\x89PNG\r\n\x1a\n'))).toBe('image/png')
  expect(kindOf(head('RIFF\0\0\0\0WEBP'))).toBe('image/webp')
  expect(kindOf(head('\0\0\0\x18ftypheic'))).toBeNull()
  expect(kindOf(head(''))).toBeNull()
})

test('held upright it is level; turned by some degrees the horizon turns the other way', () => {
  expect(isLevel(heldAs(90, 0, 0))).toBe(true)
  // On its side, the screen turned with it, either way.
  expect(isLevel(heldAs(0, -90, 90))).toBe(true)
  expect(isLevel(heldAs(0, 90, 270))).toBe(true)
  expect(isLevel(heldAs(0, 90, 0))).toBe(false)
  const tilted = heldAs(45, 20, 0)
  expect(tilted.flat).toBe(false)
  expect(tilted.roll).toBeLessThan(-10)
  expect(heldAs(45, -20, 0).roll).toBeCloseTo(-tilted.roll)
})

test('held over a table it is the plumb that counts', () => {
  expect(heldAs(0, 0, 0)).toMatchObject({ flat: true })
  expect(isLevel(heldAs(0, 0, 0))).toBe(true)
  expect(isLevel(heldAs(10, 0, 0))).toBe(false)
})
