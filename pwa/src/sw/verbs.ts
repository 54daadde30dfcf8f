// What the worker can do: keep the shell, answer from it, keep pictures, tell people and pages.
import { send } from '../api/client'
import { base64url } from '../bytes'
import { pref } from '../db/prefs'
import { renew } from '../renew'
import { FILES, isHashed, MOST_PICTURES, SHELL_CACHE, SHELL_PREFIX } from './list'
import { MEDIA_CACHE } from './names'
import { noticeFor, type Payload } from './notices'

declare const self: ServiceWorkerGlobalScope

/** Fetches what the last version does not already have. */
export async function keepShell(): Promise<void> {
  const cache = await caches.open(SHELL_CACHE)
  await Promise.all(
    FILES.map(async ({ url }) => {
      if (await cache.match(url)) return
      const known = isHashed(url) ? await caches.match(url) : undefined
      const file = known ?? (await fetch(url, { cache: 'reload' }))
      if (!file.ok || file.redirected) throw new Error(`${url}: ${file.status}`)
      await cache.put(url, file)
    }),
  )
}

export async function dropOldShells(): Promise<void> {
  const names = await caches.keys()
  await Promise.all(names.filter((name) => name.startsWith(SHELL_PREFIX) && name !== SHELL_CACHE).map((name) => caches.delete(name)))
}

/** Every page is the same document: from this phone, whether or not there is a server. */
export async function page(request: Request): Promise<Response> {
  const cache = await caches.open(SHELL_CACHE)
  return (await cache.match('/')) ?? fetch(request)
}

export async function file(request: Request): Promise<Response> {
  const cache = await caches.open(SHELL_CACHE)
  const { pathname } = new URL(request.url)
  const known = (await cache.match(pathname)) ?? (isHashed(pathname) ? await caches.match(pathname) : undefined)
  if (known) return known
  const fresh = await fetch(request)
  if (fresh.ok && isHashed(pathname)) await cache.put(pathname, fresh.clone())
  return fresh
}

/** Pictures never change; the ones looked at longest ago make room. */
export async function picture(request: Request, later: (work: Promise<unknown>) => void): Promise<Response> {
  const cache = await caches.open(MEDIA_CACHE)
  const { pathname } = new URL(request.url)
  const known = await cache.match(pathname)
  if (known) {
    later(cache.put(pathname, known.clone()))
    return known
  }
  let fresh = await fetch(request)
  if (fresh.status === 401) {
    await renew(Date.now() - 1000).catch(() => null)
    fresh = await fetch(pathname, { credentials: 'same-origin' })
  }
  // A redirect to the bucket is opaque in its length and short-lived: only our own answers are kept.
  if (fresh.ok && !fresh.redirected) later(keepPicture(cache, pathname, fresh.clone()))
  return fresh
}

async function keepPicture(cache: Cache, path: string, fresh: Response): Promise<void> {
  try {
    await cache.put(path, fresh)
    const keys = await cache.keys()
    await Promise.all(keys.slice(0, Math.max(0, keys.length - MOST_PICTURES)).map((key) => cache.delete(key)))
  } catch {
    // Without space nothing is kept; records and photos need it more.
    await caches.delete(MEDIA_CACHE)
  }
}

export async function pages(): Promise<readonly WindowClient[]> {
  return self.clients.matchAll({ type: 'window', includeUncontrolled: true })
}

export async function wakePages(): Promise<boolean> {
  const open = await pages()
  for (const client of open) client.postMessage({ type: 'wake' })
  return open.length > 0
}

/** Always shows something: a push without a notice costs the permission. */
export async function notify(payload: Payload): Promise<void> {
  const { title, body } = noticeFor(payload, (await pref('language').catch(() => undefined)) ?? 'en')
  await self.registration.showNotification(title, {
    body,
    icon: '/icon-192.png',
    badge: '/badge-96.png',
    tag: payload.inbox ?? payload.kind ?? 'kilele',
    data: { url: payload.url ?? '/inbox' },
  })
  const shown = await self.registration.getNotifications()
  await (self.navigator as { setAppBadge?: (count: number) => Promise<void> }).setAppBadge?.(shown.length).catch(() => undefined)
}

/** Shows the page the notice speaks of, in the app that is open if there is one. */
export async function open(url: string): Promise<void> {
  // Only ever a page of this app.
  const target = new URL(url, self.location.origin)
  const path = target.origin === self.location.origin ? target.pathname + target.search : '/'
  const [client] = await pages()
  if (!client) return void (await self.clients.openWindow(path))
  await client.focus()
  client.postMessage({ type: 'open', url: path })
}

export async function subscribeAgain(key: BufferSource | string | null): Promise<void> {
  if (!key) return
  const made = await self.registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
  const text = (name: PushEncryptionKeyName) => base64url(made.getKey(name) ?? new ArrayBuffer(0))
  const language = (await pref('language')) ?? 'en'
  const json = { endpoint: made.endpoint, p256dh: text('p256dh'), auth: text('auth'), language }
  await send('/api/push/subscription', { method: 'PUT', json })
}
