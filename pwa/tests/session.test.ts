// A session that has expired is renewed once, with the device's proof, whoever notices first.
import { afterEach, beforeEach, expect, test } from 'vitest'
import { onExpired, request } from '../src/api/client'
import { fromBase64url } from '../src/bytes'
import { setPref } from '../src/db/prefs'
import { describeDevice } from '../src/device'
import { renew } from '../src/renew'

interface Seen {
  path: string
  headers: Record<string, string>
  body: Record<string, string> | null
}

let seen: Seen[] = []
let valid = false
let renewal = () => new Response(JSON.stringify({ server_time: Date.now() }))

beforeEach(async () => {
  seen = []
  valid = false
  renewal = () => {
    valid = true
    return new Response(JSON.stringify({ server_time: Date.now() }))
  }
  await setPref('refreshedAt', 0)
  onExpired(async (seenAt) => void (await renew(seenAt)))
  globalThis.fetch = (async (path: string, init: RequestInit) => {
    seen.push({ path, headers: init.headers as Record<string, string>, body: init.body ? JSON.parse(init.body as string) : null })
    await new Promise((done) => setTimeout(done, 2))
    if (path === '/api/sessions/refresh') return renewal()
    return valid ? new Response('{"ok":1}') : new Response('{"code":"session_ended"}', { status: 401 })
  }) as typeof fetch
})
afterEach(() => onExpired(null))

const refreshes = () => seen.filter(({ path }) => path === '/api/sessions/refresh')

test('several requests that find the session expired renew it once and then succeed', async () => {
  const answers = await Promise.all([request('/api/a'), request('/api/b'), request('/api/c')])
  expect(answers).toEqual([{ ok: 1 }, { ok: 1 }, { ok: 1 }])
  expect(refreshes()).toHaveLength(1)
  expect(seen.every(({ headers }) => headers['X-Kilele'] === '1')).toBe(true)
})

test('the proof is the device’s signature over its id and the challenge, which it asks for when it has none', async () => {
  const { id, public_key } = await describeDevice()
  const good = renewal
  renewal = () =>
    refreshes().length === 1
      ? new Response('{"code":"refresh_challenge","details":{"challenge":"abc"}}', { status: 401 })
      : good()
  await request('/api/a')
  expect(refreshes()[0]!.body).toMatchObject({ challenge: null, proof: null })
  const { device, challenge, proof } = refreshes()[1]!.body!
  expect(challenge).toBe('abc')
  expect(device).toBe(id)
  const key = await crypto.subtle.importKey('spki', fromBase64url(public_key!), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify'])
  const text = new TextEncoder().encode(`kilele-refresh|${id}|${challenge}`)
  expect(await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, fromBase64url(proof!), text)).toBe(true)
})

test('a session that cannot be renewed says signed out; a server that is down does not', async () => {
  renewal = () => new Response('{"code":"session_reused","message":"Ended"}', { status: 401 })
  await expect(request('/api/a')).rejects.toMatchObject({ code: 'signed_out', details: { because: 'session_reused' } })
  renewal = () => new Response('{"code":"unavailable"}', { status: 503 })
  await expect(request('/api/a')).rejects.toMatchObject({ code: 'unavailable', status: 503 })
})

test('a wrong password is not an expired session', async () => {
  await expect(request('/api/sessions', { json: {}, signedIn: false })).rejects.toMatchObject({ status: 401 })
  expect(refreshes()).toHaveLength(0)
})
