// How the phone is held: the slant of the horizon on the screen, from the phone's own sense of down.

export interface Held {
  /** Degrees that the horizon is turned by on the screen, clockwise. */
  roll: number
  /** Held over something on the ground or a table: there is no horizon, but a plumb. */
  flat: boolean
  /** Where "up" points on the screen when held flat: right and down, −1 … 1. */
  lean: { x: number; y: number }
}

/** What a person takes for level. */
export const LEVEL = 2
export const PLUMB = 0.05
/** Less of gravity than this in the plane of the screen, and the phone looks down. */
const FLAT = 0.4

export const isLevel = ({ flat, roll, lean }: Held): boolean =>
  flat ? Math.hypot(lean.x, lean.y) <= PLUMB : Math.abs(roll) <= LEVEL

/** From the angles of a `deviceorientation` event, in degrees, and the turn of the screen. */
export function heldAs(beta: number, gamma: number, screenAngle: number): Held {
  const [b, g, turn] = [beta, gamma, screenAngle].map((degrees) => (degrees * Math.PI) / 180) as [number, number, number]
  // "Up" as the phone sees it, in its own axes: x to its right, y to its top.
  const [x, y] = [-Math.cos(b) * Math.sin(g), Math.sin(b)]
  // The screen may be turned against the phone.
  const [right, up] = [x * Math.cos(turn) - y * Math.sin(turn), x * Math.sin(turn) + y * Math.cos(turn)]
  return { roll: (Math.atan2(right, up) * 180) / Math.PI, flat: Math.hypot(right, up) < FLAT, lean: { x: right, y: -up } }
}

type Asking = typeof DeviceOrientationEvent & { requestPermission?: () => Promise<'granted' | 'denied'> }
const sensor = (): Asking | undefined => (globalThis as { DeviceOrientationEvent?: Asking }).DeviceOrientationEvent

/** Some browsers stay silent until they were asked, and that only under a finger. */
export const mayAsk = (): boolean =>
  typeof sensor()?.requestPermission === 'function' && matchMedia('(pointer: coarse)').matches

export async function askForLevel(): Promise<boolean> {
  return (await sensor()?.requestPermission?.().catch(() => 'denied')) === 'granted'
}

/** Calls back while the phone is moved; once with null where there is no sensor. Ends when called. */
export function watchLevel(seen: (held: Held | null) => void): () => void {
  const turned = ({ beta, gamma }: DeviceOrientationEvent) =>
    seen(beta === null || gamma === null ? null : heldAs(beta, gamma, screen.orientation?.angle ?? 0))
  addEventListener('deviceorientation', turned)
  return () => removeEventListener('deviceorientation', turned)
}
