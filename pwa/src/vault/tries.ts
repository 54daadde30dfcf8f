// Wrong PINs cost time, and the tenth the key. The time is served with the app open: no clock can be turned past it.

export const MOST = 10
/** Seconds to wait after so many wrong PINs. */
const WAITS: Record<number, number> = { 3: 5, 4: 15, 5: 30, 6: 60, 7: 120, 8: 300, 9: 600 }

export interface Tries {
  /** Counted before a PIN is tried, so that ending the app in the middle gains nothing. */
  wrong: number
  /** Milliseconds still to be waited. */
  wait: number
}

export const fresh = (): Tries => ({ wrong: 0, wait: 0 })

/** The next try, or null while it must wait. */
export function begin({ wrong, wait }: Tries): Tries | null {
  if (wait > 0 || wrong >= MOST) return null
  return { wrong: wrong + 1, wait: (WAITS[wrong + 1] ?? 0) * 1000 }
}

export const passed = ({ wrong, wait }: Tries, ms: number): Tries => ({ wrong, wait: Math.max(0, wait - Math.max(0, ms)) })
export const left = ({ wrong }: Tries): number => Math.max(0, MOST - wrong)
export const spent = ({ wrong }: Tries): boolean => wrong >= MOST
