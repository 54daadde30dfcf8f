// Asks the phone where it is, and says why not when it cannot tell.

export interface Fix {
  lat: number
  lon: number
  accuracy_m: number
}
export type NoFix = { reason: 'no_fix' | 'refused' | 'unavailable' }

/** Waits for a fix of `good_enough_m`; at the end of the time the best so far counts. Never throws. */
export function fix({ timeout_ms = 20_000, good_enough_m = 25 } = {}): Promise<Fix | NoFix> {
  const geo = globalThis.navigator?.geolocation
  if (!geo) return Promise.resolve({ reason: 'unavailable' })
  return new Promise((resolve) => {
    let best: Fix | null = null
    let watching = 0
    const finish = (result: Fix | NoFix) => {
      clearTimeout(timer)
      geo.clearWatch(watching)
      resolve(result)
    }
    const timer = setTimeout(() => finish(best ?? { reason: 'no_fix' }), timeout_ms)
    watching = geo.watchPosition(
      ({ coords: { latitude, longitude, accuracy } }) => {
        const found = { lat: round(latitude), lon: round(longitude), accuracy_m: Math.round(accuracy) }
        if (!best || found.accuracy_m < best.accuracy_m) best = found
        if (best.accuracy_m <= good_enough_m) finish(best)
      },
      ({ code }) => {
        if (code === 1) finish({ reason: 'refused' })
        else if (code === 2 && !best) finish({ reason: 'unavailable' })
      },
      { enableHighAccuracy: true, maximumAge: 10_000, timeout: timeout_ms },
    )
  })
}

/** Six decimals are 11 cm. */
const round = (degrees: number) => Math.round(degrees * 1e6) / 1e6
