// Work that nobody waits for: when the page has nothing else to do, and at the latest after `ms`.

/** Returns how to call it off. */
export function whenIdle(work: () => void, ms: number): () => void {
  if (typeof requestIdleCallback === 'undefined') {
    const next = setTimeout(work, Math.min(ms, 50))
    return () => clearTimeout(next)
  }
  const next = requestIdleCallback(work, { timeout: ms })
  return () => cancelIdleCallback(next)
}
