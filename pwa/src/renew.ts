// Renews the session with the refresh cookie and a proof by the device's key: once, whichever tab or worker asks.
import { request } from './api/client'
import { Problem } from './api/problem'
import type { SessionView } from './api/records'
import { serverNow, setClockOffset } from './clock'
import { pref, setPref } from './db/prefs'
import { deviceId, signByDevice } from './device'

let underWay: Promise<SessionView | null> | null = null

/** `seenAt`: when the request that was refused began; a renewal since then is reason to try it again first. */
export function renew(seenAt: number): Promise<SessionView | null> {
  underWay ??= once(seenAt).finally(() => (underWay = null))
  return underWay
}

async function once(seenAt: number): Promise<SessionView | null> {
  const work = async () => {
    if (((await pref('refreshedAt')) ?? 0) >= seenAt) return null
    return refresh()
  }
  if (!globalThis.navigator?.locks) return work()
  return navigator.locks.request('kilele-refresh', work) as Promise<SessionView | null>
}

async function refresh(): Promise<SessionView> {
  const device = await deviceId()
  const at = serverNow()
  const proof = await signByDevice(`kilele-refresh|${device}|${at}`)
  try {
    const view = await request<SessionView>('/api/sessions/refresh', { json: { device, at, proof }, signedIn: false })
    setClockOffset(view.server_time - Date.now())
    await setPref('refreshedAt', Date.now())
    return view
  } catch (error) {
    if (error instanceof Problem && (error.status === 401 || error.status === 403)) {
      throw new Problem('signed_out', error.message, { status: 401, details: { because: error.code } })
    }
    throw error
  }
}
