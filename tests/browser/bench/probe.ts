// What runs in the measured page from its first moment: when something was painted, which tasks were long, when a
// draft was on disk. Knows the page by what a person sees of it, and the storage by its transactions alone.

declare global {
  interface Window {
    probe: Probe
  }
}

export interface Probe {
  /** When a row of a list could first be touched, since the page was asked for. */
  usable: number | null
  /** Longest task, and how many were longer than 50 ms, since `reset`. */
  longest: number
  /** Durations of key presses until their paint, by the browser's own account. */
  keys: number[]
  /** When something was last typed. */
  typed: number
  /** When transactions that write drafts began and when they were on disk. */
  drafts: { begun: number; kept: number }[]
  reset: () => void
  /** Resolves with the time once `look` is true and has been painted. */
  painted: (look: () => boolean) => Promise<number>
  /** From now on: how long after an input its list shows what was found. */
  searches: number[]
  /** Resolves with the next of them, or after `patience` milliseconds: nothing runs in the page while one waits. */
  search: (patience: number) => Promise<void>
}

export function probe(): void {
  const afterPaint = () => new Promise<number>((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))
  let found = () => {}
  const state: Probe = {
    usable: null,
    longest: 0,
    keys: [],
    typed: 0,
    drafts: [],
    searches: [],
    search: (patience) =>
      new Promise((done) => {
        found = done
        setTimeout(done, patience)
      }),
    reset: () => {
      state.longest = 0
      state.keys.length = 0
      state.searches.length = 0
    },
    painted: async (look) => {
      while (!look()) await new Promise(requestAnimationFrame)
      return afterPaint()
    },
  }
  window.probe = state
  void state.painted(() => document.querySelector('main [role=listitem] a[href]') !== null).then((at) => (state.usable = at))
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) state.longest = Math.max(state.longest, duration)
  }).observe({ type: 'longtask', buffered: true })
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (/^key|^input|^beforeinput/.test(entry.name)) state.keys.push(entry.duration)
  }).observe({ type: 'event', durationThreshold: 16 } as PerformanceObserverInit)

  // From an input in the search field to the first change of what was found, painted.
  let asked: number | null = null
  addEventListener('input', (event) => {
    state.typed = performance.now()
    if ((event.target as HTMLInputElement).type === 'search') asked = performance.now()
  }, true)
  new MutationObserver((changes) => {
    if (asked === null || !changes.some(({ target }) => (target.nodeType === 1 ? (target as Element) : target.parentElement)?.closest('.page'))) return
    const begun = asked
    asked = null
    void afterPaint().then((at) => {
      state.searches.push(at - begun)
      found()
    })
  }).observe(document, { subtree: true, childList: true, characterData: true })

  const begin = IDBDatabase.prototype.transaction
  IDBDatabase.prototype.transaction = function (this: IDBDatabase, stores, mode, options) {
    const transaction = begin.call(this, stores, mode, options)
    if (mode === 'readwrite' && [stores].flat().includes('drafts')) {
      const begun = performance.now()
      transaction.addEventListener('complete', () => state.drafts.push({ begun, kept: performance.now() }))
    }
    return transaction
  }
}
