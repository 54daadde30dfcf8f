// Renews the session with the refresh cookie and a proof by the device's key: once, whichever tab or worker asks.
import { request } from './api/client'
import { Problem } from './api/problem'
import type { SessionView } from './api/records'
import { setClockOffset } from './clock'
import { hasAccount, readMeta } from './db/account'
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

/** The proof is over a challenge that belongs to the cookie's token; a phone that lost it is told it once. */
async function ask(challenge: string | null, token: string | null): Promise<SessionView> {
  const device = await deviceId()
  const proof = challenge ? await signByDevice(`kilele-refresh|${device}|${challenge}`) : null
  const json = { device, challenge, proof, shared: true, ...(token ? { refresh_token: token } : {}) }
  try {
    return await request<SessionView>('/api/sessions/refresh', { json, signedIn: false })
  } catch (error) {
    const told = error instanceof Problem && error.code === 'refresh_challenge' ? error.details?.challenge : null
    if (typeof told !== 'string' || told === challenge) throw error
    return ask(told, token)
  }
}

async function refresh(): Promise<SessionView> {
  const token = await ownToken()
  try {
    // The challenge that is known belongs to the cookie.
    const view = await ask(token ? null : ((await pref('refreshChallenge')) ?? null), token)
    setClockOffset(view.server_time - Date.now())
    await setPref('refreshChallenge', view.refresh_challenge)
    await setPref('refreshedAt', Date.now())
    return view
  } catch (error) {
    if (error instanceof Problem && (error.status === 401 || error.status === 403)) {
      throw new Problem('signed_out', error.message, { status: 401, details: { because: error.code } })
    }
    throw error
  }
}

/** Of whoever is open, when the browser's cookies are another's. */
async function ownToken(): Promise<string | null> {
  const [cookies, open] = [await pref('cookies'), await pref('vault')]
  if (!hasAccount() || !open || cookies === open) return null
  const token = await readMeta('refreshToken')
  if (!token) throw new Problem('signed_out', 'Someone else is signed in', { status: 401 })
  return token
}
