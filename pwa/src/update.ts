// Registers the service worker and hands over to a new version of the app only when that disturbs nobody.
import { database, hasAccount } from './db/account'
import { status } from './sync/status.svelte'

let waiting: ServiceWorker | null = null
let asked = false

export async function registerWorker(): Promise<void> {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return
  const replaced = Boolean(navigator.serviceWorker.controller)
  navigator.serviceWorker.addEventListener('controllerchange', () => {
    if (asked) return location.reload()
    // Another tab let the new version in: this one runs on until its person agrees.
    if (replaced) status.updateReady = true
  })
  const registration = await navigator.serviceWorker.register('/sw.js', { updateViaCache: 'none' })
  const offer = (worker: ServiceWorker | null) => {
    if (!worker || !navigator.serviceWorker.controller) return
    waiting = worker
    status.updateReady = true
  }
  registration.addEventListener('updatefound', () => {
    const worker = registration.installing
    worker?.addEventListener('statechange', () => worker.state === 'installed' && offer(worker))
  })
  if (registration.waiting) {
    offer(registration.waiting)
    if (await nothingOpen()) {
      // Loading again would throw away what has been begun since, were it three digits of a PIN.
      for (const event of ['input', 'pointerdown']) addEventListener(event, () => (asked = false), { capture: true, once: true })
      letIn()
    }
  }
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') registration.update().catch(() => undefined)
  })
}

/** At the start of the app, with no form half filled in and no other tab, a waiting version may take over at once. */
async function nothingOpen(): Promise<boolean> {
  const drafts = hasAccount() ? await database().count('drafts') : 0
  const others = (await navigator.locks?.query())?.held?.filter(({ name }) => name?.startsWith('kilele-tab')).length ?? 0
  return drafts === 0 && others <= 1
}

function letIn(): void {
  asked = true
  waiting?.postMessage({ type: 'activate' })
  // A browser may take minutes: whatever is typed by then is not interrupted.
  setTimeout(() => (asked = false), 1_500)
}

/**
 * On the person's tap: the new version takes over and the page loads again. A browser that is at that moment told something
 * for the old worker, as by the tap itself or by the parts of a screen that has just been opened, now and then keeps it at
 * work for minutes: so it is asked when the tap is over, more than once, and then the page is loaded again under the old
 * one, whose start lets the new one in.
 */
export function applyUpdate(tries = 3): void {
  if (waiting?.state !== 'installed') return location.reload()
  setTimeout(() => {
    if (tries === 0 || waiting?.state !== 'installed') return location.reload()
    letIn()
    applyUpdate(tries - 1)
  }, tries === 3 ? 300 : 1_400)
}
