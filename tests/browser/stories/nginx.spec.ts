// Behind nginx, as it ships: what reaches the server and what reaches the browser are what they are without it.
import { createHash, randomBytes } from 'node:crypto'
import { expect, test } from '@playwright/test'
import { PASSWORD, signIn, uuid7 } from '../harness/api'
import { ask, json, socket } from '../harness/http'
import { Nginx } from '../harness/nginx'
import { Device } from '../harness/phone'
import { until } from '../harness/processes'
import { Server } from '../harness/server'
import { say } from '../harness/words'

let server: Server
let nginx: Nginx

test.beforeAll(async () => {
  server = await Server.start({ env: { KILELE_TRUSTED_PROXIES: '127.0.0.1', KILELE_SIGN_IN_PER_MINUTE: '5' } })
  nginx = await Nginx.start(server.port)
})
test.afterAll(async () => {
  await nginx?.end()
  await server?.end()
})

const device = () => ({ id: uuid7(), name: 'Story', public_key: null })
const attempt = (login: string, from: string, claimed?: string) => {
  const { headers, body } = json({ login, password: 'not the password', device: device() })
  return ask(`${nginx.tls}/api/sessions`, {
    method: 'POST',
    headers: { ...headers, ...(claimed ? { 'x-forwarded-for': claimed } : {}) },
    body,
    from,
  })
}

test('the application arrives as the server packed it', async () => {
  const page = await ask(`${nginx.tls}/`, { headers: { 'accept-encoding': 'br, gzip' } })
  expect(page.status).toBe(200)
  expect(page.headers['content-type']).toContain('text/html')
  expect(page.headers['cache-control']).toBe('no-cache')

  const worker = await ask(`${nginx.tls}/sw.js`)
  expect(worker.status).toBe(200)
  expect(worker.headers['cache-control']).toBe('no-cache')

  const html = (await ask(`${nginx.tls}/`)).body.toString()
  const script = /assets\/index-[\w-]+\.js/.exec(html)?.[0]
  const asset = await ask(`${nginx.tls}/${script}`, { headers: { 'accept-encoding': 'br, gzip' } })
  expect(asset.status).toBe(200)
  expect(asset.headers['cache-control']).toBe('public, max-age=31536000, immutable')
  expect(asset.every('content-encoding')).toEqual(['br'])
  expect(asset.headers.vary).toContain('accept-encoding')
  const again = await ask(`${nginx.tls}/${script}`, { headers: { 'if-none-match': String(asset.headers.etag) } })
  expect(again.status).toBe(304)
})

test('every security header is there once', async () => {
  for (const path of ['/', '/api/start', '/sw.js', '/api/nowhere']) {
    const answer = await ask(nginx.tls + path)
    for (const name of [
      'content-security-policy',
      'x-content-type-options',
      'x-frame-options',
      'referrer-policy',
      'permissions-policy',
      'cross-origin-opener-policy',
      'strict-transport-security',
    ]) {
      // JSON is no page: there is nobody to give a permission to.
      const wanted = name === 'permissions-policy' && path.startsWith('/api/') ? 0 : 1
      expect(answer.every(name), `${name} of ${path}`).toHaveLength(wanted)
    }
    expect(answer.headers.server).toBe('nginx')
  }
  expect((await ask(`${nginx.plain}/`)).every('strict-transport-security')).toHaveLength(0)
})

test('plain HTTP leads to TLS, and nobody is named in the log', async () => {
  const answer = await ask(`${nginx.redirect}/households?q=Amina`, { headers: { host: 'kilele.example' } })
  expect(answer.status).toBe(301)
  expect(answer.headers.location).toBe('https://kilele.example/households?q=Amina')
  expect(nginx.log()).not.toContain('Amina')
})

test('a person signs in with cookies and hears of what others do', async () => {
  const { headers, body } = json({ login: 'grace.supervisor', password: PASSWORD, device: device() })
  const signed = await ask(`${nginx.tls}/api/sessions`, { method: 'POST', headers, body, from: '127.0.0.9' })
  expect(signed.status).toBe(200)
  const cookies = signed.every('set-cookie')
  expect(cookies).toHaveLength(2)
  for (const cookie of cookies) expect(cookie).toMatch(/^__Host-kilele_.*HttpOnly/)
  const cookie = cookies.map((one) => one.split(';')[0]).join('; ')

  const me = await ask(`${nginx.tls}/api/me`, { headers: { cookie, 'x-kilele': '1' } })
  expect(me.status).toBe(200)
  expect(JSON.parse(me.body.toString()).member.role).toBe('supervisor')

  const foreign = await socket(`${nginx.tls}/api/live`, { cookie, origin: 'https://elsewhere.example' })
  expect(foreign.status).toBe(403)
  foreign.close()

  const live = await socket(`${nginx.tls}/api/live`, { cookie, origin: nginx.tls })
  expect(live.status).toBe(101)
  const mentor = await signIn(server.url, 'juma.mentor')
  const home = (await mentor.households())[0]!
  await mentor.command('visit.plan', {
    id: uuid7(),
    household: home.id,
    mentor: mentor.member,
    kind: 'follow_up',
    planned_at: Date.now() + 86_400_000,
  })
  await until('a hint', () => live.messages.length > 0, 5000)
  expect(JSON.parse(live.messages[0]!)).toEqual({ feed: home.place, revision: expect.any(Number) })
  live.close()
})

test('a photo goes through in pieces, and what is too large is refused in words', async () => {
  const mentor = await signIn(server.url, 'amina.mentor')
  const home = (await mentor.households())[0]!
  // Not a picture: the bytes and their receipt are what counts here.
  const bytes = randomBytes(3 << 20)
  const photo = {
    id: uuid7(),
    slot: 'front',
    mime: 'image/jpeg',
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    width: 1200,
    height: 1600,
    captured_at: Date.now(),
  }
  await mentor.command('household.register', {
    household: { id: uuid7(), place: home.place, head_name: 'Behind Nginx', members: [] },
    evidence: [photo],
  })
  const tus = { authorization: `Bearer ${mentor.token}`, 'tus-resumable': '1.0.0' }
  const begun = await ask(`${nginx.tls}/api/uploads`, {
    method: 'POST',
    headers: {
      ...tus,
      'upload-length': String(bytes.length),
      'upload-metadata': `evidence ${Buffer.from(photo.id).toString('base64')},sha256 ${Buffer.from(photo.sha256).toString('base64')}`,
    },
  })
  expect(begun.status, begun.body.toString()).toBe(201)
  const upload = nginx.tls + new URL(String(begun.headers.location), nginx.tls).pathname
  const send = (from: number, to: number) =>
    ask(upload, {
      method: 'PATCH',
      headers: { ...tus, 'content-type': 'application/offset+octet-stream', 'upload-offset': String(from) },
      body: bytes.subarray(from, to),
    })
  // The first piece is larger than what nginx lets through anywhere else.
  const half = 5 << 19
  expect((await send(0, half)).headers['upload-offset']).toBe(String(half))
  expect((await send(half, bytes.length)).headers['upload-offset']).toBe(String(bytes.length))
  await until('the receipt', async () => {
    const one = (await mentor.evidence()).find(({ id }) => id === photo.id)
    // It arrived whole: only then is it looked at, and found to be no picture.
    return one?.state === 'quarantined' && one.sha256 === photo.sha256
  })

  const large = Buffer.alloc(27 << 20)
  for (const path of [new URL(upload).pathname, '/api/uploads', '/api/sync']) {
    const method = path.startsWith('/api/uploads/') ? 'PATCH' : 'POST'
    const refused = await ask(nginx.tls + path, { method, headers: tus, body: large })
    expect(refused.status, path).toBe(413)
    expect(refused.headers['content-type']).toContain('application/json')
    expect(JSON.parse(refused.body.toString())).toMatchObject({ code: 'too_large', message: expect.any(String) })
  }
})

test('a phone works through it as without it, and hears of changes at once', async () => {
  const phone = await Device.open(nginx.plain)
  try {
    await phone.signIn('wanjiku.mentor')
    const { page } = phone
    await expect(page.getByText(say('sync_done'))).toBeVisible()
    const wanjiku = await signIn(server.url, 'wanjiku.mentor')
    const known = new Set((await wanjiku.visits()).filter(({ state }) => state === 'planned').map(({ household }) => household))
    const home = (await wanjiku.households()).find(({ id }) => !known.has(id))!
    const due = page.locator('section', { has: page.getByRole('heading', { name: say('today_due') }) })
    await expect(due.getByRole('link').filter({ hasText: home.head_name })).toHaveCount(0)
    await wanjiku.command('visit.plan', {
      id: uuid7(),
      household: home.id,
      mentor: wanjiku.member,
      kind: 'emergency',
      planned_at: Date.now(),
    })
    await expect(due.getByRole('link').filter({ hasText: home.head_name })).toBeVisible({ timeout: 3000 })
    await page.reload()
    await expect(due.getByRole('link').filter({ hasText: home.head_name })).toBeVisible()
    expect(phone.errors).toEqual([])
  } finally {
    await phone.end()
  }
})

test('nobody gets more attempts by claiming to be forwarded for someone', async () => {
  const statuses = []
  for (let i = 0; i < 8; i++) statuses.push((await attempt(`nobody.${i}`, '127.0.0.2', `203.0.113.${i}`)).status)
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429])
  const refused = await attempt('nobody.9', '127.0.0.2', '203.0.113.99')
  // The server's own refusal, which it gave after the address that nginx saw.
  expect(JSON.parse(refused.body.toString()).code).toBe('too_many_attempts')
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(5)
  // Another address is another person.
  expect((await attempt('nobody.10', '127.0.0.3')).status).toBe(401)
})

test('while the server restarts, people are told so, and then it goes on', async () => {
  await server.down('SIGTERM')
  const gone = await ask(`${nginx.tls}/api/start`)
  expect(gone.status).toBe(503)
  expect(gone.headers['retry-after']).toBe('5')
  expect(JSON.parse(gone.body.toString()).code).toBe('unavailable')
  await server.up()
  await until('an answer', async () => (await ask(`${nginx.tls}/api/start`)).status === 200, 10_000)
})
