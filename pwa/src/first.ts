// The first screen is there: what nobody waits for may begin. Scripts that are read before it keep it from being painted.

let shown: () => void
const first = new Promise<void>((done) => (shown = done))
/** Milliseconds: a screen that never comes holds nothing up for longer. */
const PATIENCE = 4_000

/** Said by the screen that a start leads to, once it is painted. Said again, it does nothing. */
export const firstIsShown = (): void => shown()

export function afterFirst(work: () => void): void {
  void Promise.race([first, new Promise((done) => setTimeout(done, PATIENCE))]).then(work)
}
