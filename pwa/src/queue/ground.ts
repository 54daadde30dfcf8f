// A small piece of ground in metres: where points lie from each other, and the round length for a scale bar.

export interface Point {
  lat: number
  lon: number
  accuracy_m?: number | null
}
export interface Spot {
  /** Metres east and south of the middle. */
  x: number
  y: number
}

const EARTH = 6_371_008.8
const rad = (degrees: number) => (degrees * Math.PI) / 180

/** Great-circle distance in metres (haversine). */
export function distance(a: Point, b: Point): number {
  const dLat = rad(b.lat - a.lat)
  const dLon = rad(b.lon - a.lon)
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(rad(a.lat)) * Math.cos(rad(b.lat)) * Math.sin(dLon / 2) ** 2
  return 2 * EARTH * Math.asin(Math.min(1, Math.sqrt(h)))
}

/** Flat coordinates around `middle`: exact enough for the few kilometres shown. */
export function flat(middle: Point, point: Point): Spot {
  return { x: EARTH * rad(point.lon - middle.lon) * Math.cos(rad(middle.lat)), y: -EARTH * rad(point.lat - middle.lat) }
}

/** The middle of all points and how many metres from it the view reaches, so that all of them (with their accuracy) fit. */
export function frame(points: Point[], least = 60): { middle: Point; reach: number } {
  const lats = points.map(({ lat }) => lat)
  const lons = points.map(({ lon }) => lon)
  const middle = { lat: (Math.min(...lats) + Math.max(...lats)) / 2, lon: (Math.min(...lons) + Math.max(...lons)) / 2 }
  const reach = Math.max(
    least,
    ...points.map((point) => {
      const { x, y } = flat(middle, point)
      return Math.max(Math.abs(x), Math.abs(y)) + (point.accuracy_m ?? 0)
    }),
  )
  return { middle, reach: reach * 1.3 }
}

/** Where everything is drawn on `width` × `height`; north is up. At least one of the two is known. */
export function sketch(there: Point | null, home: Point | null, others: Point[], width: number, height: number) {
  const { middle, reach } = frame(
    [there, home].filter((one) => one !== null),
    160,
  )
  const scale = height / 2 / reach
  const at = (one: Point): Spot => {
    const { x, y } = flat(middle, one)
    return { x: width / 2 + x * scale, y: height / 2 + y * scale }
  }
  const bar = roundLength(90 / scale)
  return {
    there: there && at(there),
    home: home && at(home),
    /** The visit's accuracy, never smaller than its point. */
    halo: Math.max(7, (there?.accuracy_m ?? 0) * scale),
    bar,
    length: bar * scale,
    others: others.map(at).filter(({ x, y }) => x > 4 && x < width - 4 && y > 4 && y < height - 4),
    /** So close that one would hide the other. */
    near: there !== null && home !== null && distance(there, home) * scale < 16,
  }
}

/** The longest of 1, 2, 5 × 10ⁿ metres that is not longer than `most`. */
export function roundLength(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most))
  return [5, 2, 1].map((step) => step * power).find((length) => length <= most) ?? power
}

/** "42 m", "1.3 km" */
export const metres = (length: number): string =>
  length < 1_000 ? `${Math.round(length)} m` : `${(length / 1_000).toFixed(length < 10_000 ? 1 : 0)} km`
