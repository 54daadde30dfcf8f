// Locks after five minutes away: the app in the background, or in sight and not touched.
import { alive, AWAY, holding } from './held'

/** The worker's copy of the key lives on signs of life; more often would only cost battery. */
const PULSE = 20_000

export function watchAway(lock: () => void): void {
  let last = Date.now()
  let pulsed = 0
  const look = () => {
    if (!holding()) return void (last = Date.now())
    if (Math.abs(Date.now() - last) >= AWAY) lock()
  }
  const touched = () => {
    const now = Date.now()
    // Someone who comes back after five minutes is asked before anything else happens.
    if (holding() && Math.abs(now - last) >= AWAY) return lock()
    last = now
    if (now - pulsed > PULSE) {
      pulsed = now
      alive()
    }
  }
  for (const event of ['pointerdown', 'keydown', 'scroll']) addEventListener(event, touched, { capture: true, passive: true })
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'hidden') {
      // From here on the person is away.
      last = Date.now()
      alive()
    } else look()
  })
  setInterval(look, 10_000)
}
