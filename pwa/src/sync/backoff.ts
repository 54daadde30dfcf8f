// How long to wait after failures: doubling, at most five minutes, spread so that phones do not come all at once.

export const FIRST = 2_000
export const LONGEST = 300_000

export function backoff(failures: number, random: () => number = Math.random): number {
  const full = Math.min(LONGEST, FIRST * 2 ** Math.min(failures - 1, 16))
  return Math.round(full * (0.5 + random() * 0.5))
}
