// Tells an element once that it has come into view: what is not looked at is not fetched.

/** A thumb's move ahead. Browsers' own lazy loading begins thousands of pixels ahead on slow links. */
const AHEAD = '160px'
const waiting = new Map<Element, () => void>()
let watcher: IntersectionObserver | null = null

/** What comes into view at once is told piece by piece, so that a finger on the screen never waits for a list of faces. */
const SLICE = 8
let told: (() => void)[] = []
let telling = false
function tellNext(): void {
  const until = performance.now() + SLICE
  while (told.length > 0 && performance.now() < until) told.shift()!()
  telling = told.length > 0
  if (telling) setTimeout(tellNext)
}
function queue(tell: () => void): void {
  told.push(tell)
  if (telling) return
  telling = true
  setTimeout(tellNext)
}

function seen(entries: IntersectionObserverEntry[]): void {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue
    const tell = waiting.get(target)
    forget(target)
    if (tell) queue(tell)
  }
}
function forget(element: Element): void {
  waiting.delete(element)
  watcher?.unobserve(element)
}

/** For `{@attach whenNear(() => …)}`. */
export const whenNear =
  (tell: () => void) =>
  (element: Element): (() => void) | void => {
    if (typeof IntersectionObserver === 'undefined') return tell()
    watcher ??= new IntersectionObserver(seen, { rootMargin: AHEAD })
    waiting.set(element, tell)
    watcher.observe(element)
    return () => forget(element)
  }
