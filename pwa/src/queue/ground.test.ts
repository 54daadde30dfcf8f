// Distances and scales on the small map.
import { expect, test } from 'vitest'
import { distance, flat, frame, metres, roundLength } from './ground'

const kitui = { lat: -1.36649, lon: 38.01064 }

test('a minute of latitude is a nautical mile', () => {
  expect(distance(kitui, { ...kitui, lat: kitui.lat + 1 / 60 })).toBeCloseTo(1853, 0)
})

test('flat coordinates agree with the distance, north is up', () => {
  const there = { lat: -1.3655, lon: 38.0121 }
  const { x, y } = flat(kitui, there)
  expect(Math.hypot(x, y)).toBeCloseTo(distance(kitui, there), 1)
  expect(x).toBeGreaterThan(0)
  expect(y).toBeLessThan(0)
})

test('everything fits, with its accuracy', () => {
  expect(frame([kitui]).reach).toBeCloseTo(78)
  expect(frame([{ ...kitui, accuracy_m: 500 }]).reach).toBeCloseTo(650)
})

test('scale bars have round lengths', () => {
  expect([7, 49, 50, 99, 260, 3_400].map(roundLength)).toEqual([5, 20, 50, 50, 200, 2_000])
  expect([42.4, 999, 1_260, 12_400].map(metres)).toEqual(['42 m', '999 m', '1.3 km', '12 km'])
})
