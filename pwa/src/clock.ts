// Tells device time, and the server's time as last heard.

let offset = 0

export const now = (): number => Date.now()
export const serverNow = (): number => Date.now() + offset
export const clockOffset = (): number => offset
export function setClockOffset(ms: number): void {
  offset = ms
}

export const DAY = 86_400_000

/** Days since 1970, UTC. */
export const dayOf = (at: number): number => Math.floor(at / DAY)
