// Which event leads to which verb.
import { deliver } from './deliver'
import { isHashed, isPicture, FILES } from './list'
import { hear, someoneIsIn } from './held'
import { SYNC_TAG } from './names'
import { readPayload, type Payload } from './notices'
import { askNobody } from './static'
import { picture } from './sealed'
import type { ToWorker } from '../vault/held'
import * as verbs from './verbs'

declare const self: ServiceWorkerGlobalScope

interface SyncEvent extends ExtendableEvent {
  tag: string
}
interface SubscriptionChange extends ExtendableEvent {
  oldSubscription: PushSubscription | null
}

const shell = new Set(FILES.map(({ url }) => url))

self.addEventListener('install', (event) => {
  askNobody(event)
  event.waitUntil(verbs.keepShell())
})

self.addEventListener('activate', (event) =>
  event.waitUntil(Promise.all([verbs.dropOldShells(), self.clients.claim()])))

self.addEventListener('message', (event) => {
  // A new version waits until a person, or a start without unfinished work, lets it in.
  if (event.data?.type === 'activate') event.waitUntil(self.skipWaiting())
  else if (event.data) event.waitUntil(hear(event.data as ToWorker, event.ports[0], (event.source as Client | null)?.id ?? ''))
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const { origin, pathname } = new URL(request.url)
  if (request.method !== 'GET' || origin !== self.location.origin) return
  if (isPicture(pathname)) return event.respondWith(picture(request, event.clientId, (work) => event.waitUntil(work)))
  if (pathname.startsWith('/api/') || pathname.startsWith('/health') || pathname === '/metrics') return
  if (request.mode === 'navigate') return event.respondWith(verbs.page(request))
  if (isHashed(pathname) || shell.has(pathname)) event.respondWith(verbs.file(request))
})

self.addEventListener('push', (event) =>
  event.waitUntil(Promise.all([verbs.notify(readPayload(event.data?.text())), verbs.wakePages()])))

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const payload = (event.notification.data ?? {}) as Payload
  event.waitUntil(event.action === 'later' ? verbs.later(payload) : verbs.open(payload.url ?? '/inbox'))
})

self.addEventListener('pushsubscriptionchange', (event) =>
  (event as unknown as ExtendableEvent).waitUntil(
    verbs.subscribeAgain((event as unknown as SubscriptionChange).oldSubscription?.options.applicationServerKey ?? null)))

self.addEventListener('sync', (event) => {
  const { tag } = event as SyncEvent
  if (tag !== SYNC_TAG) return
  // A page that is being closed, frozen or locked is still counted, and would send nothing.
  ;(event as SyncEvent).waitUntil(verbs.wakePages().then(async () => ((await someoneIsIn()) ? undefined : deliver())))
})
