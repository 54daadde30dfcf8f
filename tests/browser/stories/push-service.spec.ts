// A push as the push service and a foreign implementation of its encryption see it.
import { signIn } from '../harness/api'
import { until } from '../harness/processes'
import { PushService, type Subscription, vapid } from '../harness/push'
import { expect, test } from '../harness/story'

test('a return reaches the phone sealed, without names, and a subscription that is gone is forgotten', async ({ server }) => {
  const service = await PushService.start()
  try {
    const mentor = await signIn(server.url, 'amina.mentor')
    const second = await signIn(server.url, 'amina.mentor')
    const supervisor = await signIn(server.url, 'grace.supervisor')
    const [phone, tablet] = [service.subscribe(), service.subscribe()]
    for (const [api, subscription] of [[mentor, phone], [second, tablet]] as const) {
      expect((await api.request('PUT', '/api/push/subscription', subscription.told)).status).toBe(204)
    }
    const visits = (await mentor.visits()).filter((visit) => visit.state === 'submitted')
    expect(visits.length).toBeGreaterThanOrEqual(2)
    const [first, next] = visits as [(typeof visits)[0], (typeof visits)[0]]
    const home = (await mentor.households()).find(({ id }) => id === first.household)!
    const note = 'Wanjiru asks for one more picture of the stall'

    await supervisor.command('visit.return', { id: first.id, revision: first.revision, note })
    await until('a push', () => phone.delivered.length > 0 && tablet.delivered.length > 0)

    const [push] = phone.delivered as [Subscription['delivered'][0]]
    expect(push.headers['content-encoding']).toBe('aes128gcm')
    expect(Number(push.headers.ttl)).toBeGreaterThan(3600)
    expect(push.body.length).toBeLessThanOrEqual(3 * 1024)
    const text = phone.open(push)
    const payload = JSON.parse(text) as Record<string, unknown>
    expect(payload).toMatchObject({ v: 1, kind: 'visit_returned', url: `/visits/${first.id}` })
    const people = [home.head_name, 'Grace Nekesa', 'Amina Hassan'].flatMap((name) => name.split(' '))
    for (const word of [...people, home.number!, home.phone ?? home.number!, note, 'Wanjiru']) {
      expect(text).not.toContain(word)
    }
    // Sealed for this phone only.
    expect(() => tablet.open(push)).toThrow()

    const { claims, key } = vapid(String(push.headers.authorization))
    const { vapid_public_key } = (await (await fetch(`${server.url}/api/start`)).json()) as { vapid_public_key: string }
    expect(key).toBe(vapid_public_key)
    expect(claims.aud).toBe(service.origin)
    expect(claims.sub).toMatch(/^(mailto:|https:)/)
    const left = claims.exp - Date.now() / 1000
    expect(left).toBeGreaterThan(0)
    expect(left).toBeLessThanOrEqual(24 * 3600)

    // The phone's browser withdrew its subscription: told so once, the server does not ask again.
    phone.status = 410
    expect((await mentor.request('POST', '/api/push/test')).status).toBe(204)
    await until('the refused push', () => phone.delivered.length === 2 && tablet.delivered.length === 2)
    await until('the subscription to be gone', async () => {
      const before = tablet.delivered.length
      expect((await mentor.request('POST', '/api/push/test')).status).toBe(204)
      await until('the other device', () => tablet.delivered.length > before)
      return phone.delivered.length < tablet.delivered.length
    })
    const refused = phone.delivered.length
    await supervisor.command('visit.approve', { id: next.id, revision: next.revision })
    const before = tablet.delivered.length
    await until('the next push', () => tablet.delivered.length > before)
    expect(JSON.parse(tablet.open(tablet.delivered.at(-1)!)).kind).toBe('visit_approved')
    expect(phone.delivered).toHaveLength(refused)
  } finally {
    service.end()
  }
})

test('a push that the service puts off comes later, also after a crash of the server', async ({ server }) => {
  // Where the server died before it had written down the answer, the lease of two minutes runs out first.
  test.setTimeout(240_000)
  const service = await PushService.start()
  try {
    const mentor = await signIn(server.url, 'juma.mentor')
    const phone = service.subscribe()
    await mentor.request('PUT', '/api/push/subscription', phone.told)
    phone.status = 429
    phone.retryAfter = '3'
    await mentor.request('POST', '/api/push/test')
    await until('the first try', () => phone.delivered.length === 1)
    const asked = Date.now()
    phone.status = 201
    await server.down('SIGKILL')
    await server.up()
    await until('the second try', () => phone.delivered.length === 2, 180_000)
    expect(Date.now() - asked).toBeGreaterThan(2000)
    expect(JSON.parse(phone.open(phone.delivered[1]!))).toEqual(JSON.parse(phone.open(phone.delivered[0]!)))
  } finally {
    service.end()
  }
})
