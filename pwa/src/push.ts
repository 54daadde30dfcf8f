// Notifications on this phone: asking, subscribing, and subscribing again when the browser lost it.
import { request } from './api/client'
import { Problem } from './api/problem'
import { base64url, fromBase64url } from './bytes'
import { hasAccount, readMeta, writeMeta } from './db/account'
import { changed } from './db/changes'
import { pref } from './db/prefs'
import { startInfo } from './session.svelte'

export type PushState = 'unsupported' | 'denied' | 'off' | 'on'

/** Browsers without a push service never answer. */
const PATIENCE = 10_000

export async function pushState(): Promise<PushState> {
  if (!('PushManager' in window) || !('serviceWorker' in navigator)) return 'unsupported'
  if (Notification.permission === 'denied') return 'denied'
  return (await subscription()) && (await readMeta('pushWanted')) ? 'on' : 'off'
}

export async function subscribePush(): Promise<void> {
  if ((await pushState()) === 'unsupported') throw new Problem('push_unavailable', 'This browser has no notifications')
  if ((await Notification.requestPermission()) !== 'granted') {
    throw new Problem('push_denied', 'Notifications are not allowed')
  }
  await subscribe()
  await writeMeta('pushWanted', true)
  changed(['meta'])
}

export async function unsubscribePush(): Promise<void> {
  const found = await subscription()
  await writeMeta('pushWanted', false)
  if (found) {
    const query = new URLSearchParams({ endpoint: found.endpoint })
    await request(`/api/push/subscription?${query}`, { method: 'DELETE' }).catch(() => undefined)
    await found.unsubscribe()
  }
  changed(['meta'])
}

export const testPush = (): Promise<void> => request('/api/push/test', { method: 'POST' })

/** At each start: tells the server again, and subscribes again when the browser forgot. */
export async function keepPush(): Promise<void> {
  if (!hasAccount() || !(await readMeta('pushWanted')) || Notification.permission !== 'granted') return
  const found = await subscription()
  if (found && found.endpoint === (await readMeta('pushEndpoint'))) return
  await subscribe()
}

async function subscribe(): Promise<void> {
  const { vapid_public_key } = await startInfo()
  const registration = await patient(navigator.serviceWorker.ready)
  const made = await patient(
    registration.pushManager.subscribe({
      userVisibleOnly: true,
      applicationServerKey: fromBase64url(vapid_public_key),
    }),
  )
  await request('/api/push/subscription', {
    method: 'PUT',
    json: {
      endpoint: made.endpoint,
      p256dh: keyText(made, 'p256dh'),
      auth: keyText(made, 'auth'),
      language: (await pref('language')) ?? 'en',
    },
  })
  await writeMeta('pushEndpoint', made.endpoint)
}

const keyText = (made: PushSubscription, name: PushEncryptionKeyName) => base64url(made.getKey(name) ?? new ArrayBuffer(0))

async function subscription(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration()
  return (await registration?.pushManager.getSubscription()) ?? null
}

async function patient<T>(slow: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Problem('push_unavailable', 'The notification service did not answer')), PATIENCE)
  })
  try {
    return await Promise.race([slow, limit])
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem('push_unavailable', error instanceof Error ? error.message : String(error))
  } finally {
    clearTimeout(timer)
  }
}
