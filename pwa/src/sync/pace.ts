// How fast photos go over this link: decides how large the next chunk is and whether two photos may go at once.
import { pref, setPref } from '../db/prefs'

export const SMALLEST = 64 * 1024
export const LARGEST = 1024 * 1024
/** The first chunk after a start is at most this large, however fast the link was yesterday. */
export const FIRST = 256 * 1024
/** What a cut may cost in time: a chunk is as large as goes through in about this long. */
export const SECONDS_A_CHUNK = 5
/** Bytes a second from which a second photo takes nothing from the first: 2 Mbit/s. */
const FAST = 256 * 1024
/** No single answer tells the truth about a link. */
const WEIGHT = 0.5

/** Bytes a second; nothing measured yet means a slow link. */
let speed = SMALLEST / SECONDS_A_CHUNK
let measured = false
/** A proxy on the way takes no more than this. */
let ceiling = LARGEST
let link: string | null = null

/** Wi-Fi and the mobile network are remembered apart, where the browser tells them apart. */
function linkNow(): string {
  const about = (navigator as { connection?: { type?: string; effectiveType?: string } }).connection
  return `${about?.type ?? 'any'}-${about?.effectiveType ?? 'any'}`
}

/** Before an upload: another link than last time has a speed of its own. */
export async function takePace(): Promise<void> {
  const now = linkNow()
  if (now === link) return
  link = now
  const known = (await pref('linkSpeeds').catch(() => undefined))?.[now]
  speed = known && known > 0 ? known : SMALLEST / SECONDS_A_CHUNK
  measured = false
  ceiling = LARGEST
}

/** Remembered for the next start, in page and worker alike. */
export async function keepPace(): Promise<void> {
  if (!link || !measured) return
  const known = await pref('linkSpeeds').catch(() => undefined)
  await setPref('linkSpeeds', { ...known, [link]: Math.round(speed) }).catch(() => undefined)
}

export function chunkSize(): number {
  const most = Math.min(ceiling, measured ? LARGEST : FIRST)
  return Math.max(SMALLEST, Math.min(most, Math.round(speed * SECONDS_A_CHUNK)))
}

export const isFast = (): boolean => measured && speed >= FAST

export function measure(bytes: number, ms: number): void {
  const seen = (bytes * 1000) / Math.max(ms, 1)
  // The first measurement of a link knows more than what was remembered of it.
  speed = measured ? speed * (1 - WEIGHT) + seen * WEIGHT : seen
  measured = true
}

/** The link broke: smaller steps until it has proved itself again. */
export function slower(): void {
  speed = Math.max(SMALLEST / SECONDS_A_CHUNK, speed / 2)
}

/** Something between here and the server refuses bodies of this size; false when they cannot be smaller. */
export function lowerCeiling(refused: number): boolean {
  ceiling = SMALLEST
  return refused > SMALLEST
}

/** A phone that was just started. */
export function forgetPace(): void {
  speed = SMALLEST / SECONDS_A_CHUNK
  measured = false
  ceiling = LARGEST
  link = null
}
