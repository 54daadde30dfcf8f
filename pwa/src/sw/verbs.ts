// What the worker can do: keep the shell, answer from it, keep pictures, tell people and pages.
import { send } from '../api/client'
import { base64url } from '../bytes'
import { pref } from '../db/prefs'
import { FILES, isHashed, SHELL_CACHE, SHELL_PREFIX } from './list'
import { CLEAR_PICTURES } from './names'
import { ACTIONS, noticeFor, type Payload } from './notices'

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

/** The one before stays: pages of it may still be open, and ask for parts they have not loaded yet. */
export async function dropOldShells(): Promise<void> {
  const names = await caches.keys()
  const shells = names.filter((name) => name.startsWith(SHELL_PREFIX) && name !== SHELL_CACHE)
  const old = [...shells.slice(0, -1), ...names.filter((name) => name === CLEAR_PICTURES)]
  await Promise.all(old.map((name) => caches.delete(name)))
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
  const language = (await pref('language').catch(() => undefined)) ?? 'en'
  const { title, body } = noticeFor(payload, language)
  const words = ACTIONS[language] ?? ACTIONS.en
  const notice: NotificationOptions & { actions: { action: string; title: string }[] } = {
    body,
    icon: '/icon-192.png',
    badge: '/badge-96.png',
    tag: payload.tag ?? payload.inbox ?? payload.kind ?? 'kilele',
    data: payload,
    // A test is of no inbox row, and comes back to nobody.
    actions: [{ action: 'open', title: words.open }, ...(payload.inbox ? [{ action: 'later', title: words.later }] : [])],
  }
  await self.registration.showNotification(title, notice)
  const count = payload.unread ?? (await self.registration.getNotifications()).length
  await (self.navigator as { setAppBadge?: (count: number) => Promise<void> }).setAppBadge?.(count).catch(() => undefined)
}

/** Puts a notice off for an hour; when the server cannot be asked, it stays where it is. */
export async function later(payload: Payload): Promise<void> {
  if (!payload.inbox) return
  try {
    await send(`/api/inbox/${payload.inbox}/later`, { method: 'POST' })
  } catch {
    await notify(payload)
  }
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
