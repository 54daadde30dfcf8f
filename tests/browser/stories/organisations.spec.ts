// Two organisations on one server: set up by an administrator, one person in both, and nothing of one for the other.
import { createHash } from 'node:crypto'
import { Api, signIn, uuid7 } from '../harness/api'
import { type Device, DESKTOP, PHONE, PIN } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

const PHRASE = 'seven quiet herons 26'

/** Joins by a link and signs in as a program does. */
async function joined(url: string, link: string, login: string): Promise<Api> {
  const body = { token: link.split('#')[1], password: PHRASE, device: { id: uuid7(), name: 'Story' } }
  const answer = await fetch(`${url}/api/join`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-kilele': '1' },
    body: JSON.stringify(body),
  })
  expect(answer.status).toBe(200)
  return signIn(url, login as never, PHRASE)
}

async function post<T>(api: Api, path: string, body: unknown): Promise<T> {
  const answer = await api.request('POST', path, body)
  expect([path, answer.status]).toEqual([path, 200])
  return (await answer.json()) as T
}

/** The administrator's screen, up to the link that it shows. */
async function organisation(admin: Device, name: string, code: string, login: string): Promise<string> {
  const { page } = admin
  await page.getByRole('button', { name: say('platform_add') }).click()
  await page.getByLabel(say('platform_name')).fill(name)
  await page.getByLabel(say('platform_code'), { exact: true }).fill(code)
  await page.getByLabel(say('platform_admin_name')).fill(`Admin of ${name}`)
  await page.getByLabel(say('platform_admin_login')).fill(login)
  await page.getByRole('button', { name: say('platform_make') }).click()
  const link = await page.locator('#invitation-link').inputValue()
  await page.getByRole('button', { name: say('close') }).last().click()
  return link
}

interface Made {
  household: string
  evidence: string
  bytes: Buffer
}

/** Places, a mentor, and what they record: a household with an announced photo. */
async function work(url: string, admin: Api, code: string): Promise<{ mentor: Api; made: Made; village: string }> {
  let parent: string | null = null
  for (const [level, name] of ['County', 'Sub-county', 'Village'].entries()) {
    const id = uuid7()
    await post(admin, '/api/places', { id, parent, code: `${code}-${level}`, name: `${name} of ${code}` })
    parent = id
  }
  const village = parent!
  const login = `mentor.${code.toLowerCase()}`
  const member = { name: `Mentor of ${code}`, login, role: 'mentor', places: [village], locale: 'en' }
  const { invitation_url } = await post<{ invitation_url: string }>(admin, '/api/members', member)
  const mentor = await joined(url, invitation_url, login)
  const bytes = Buffer.from(`a photo of ${code}`)
  const made = { household: uuid7(), evidence: uuid7(), bytes }
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  await mentor.command('household.register', {
    household: { id: made.household, place: village, head_name: `Zuhura ${code}` },
    evidence: [{ id: made.evidence, slot: 'front', mime: 'image/jpeg', bytes: bytes.length, sha256, width: 1, height: 1, captured_at: Date.now() }],
  })
  return { mentor, made, village }
}

const upload = (api: Api, { evidence, bytes }: Made) =>
  api.request('POST', '/api/uploads', undefined, {
    'tus-resumable': '1.0.0',
    'upload-length': String(bytes.length),
    'upload-metadata': `evidence ${Buffer.from(evidence).toString('base64')}`,
  })

test('two organisations, one person in both, and nothing of one for the other', async ({ server, device }) => {
  test.setTimeout(240_000)
  const admin = await device(DESKTOP)
  await admin.signIn('admin.demo')
  await admin.goto('/platform')
  await admin.page.getByRole('button', { name: say('mode_activate') }).click()
  await expect(admin.page.getByText(say('mode_multi'))).toBeVisible()
  const alphaLink = await organisation(admin, 'Alpha office', 'ALPHA', 'alpha.admin')
  const betaLink = await organisation(admin, 'Beta office', 'BETA', 'beta.admin')
  await expect(admin.page.getByRole('button', { name: /^Beta office/ })).toBeVisible()

  const alpha = await joined(server.url, alphaLink, 'alpha.admin')
  const beta = await joined(server.url, betaLink, 'beta.admin')
  const a = await work(server.url, alpha, 'ALPHA')
  const b = await work(server.url, beta, 'BETA')

  // One person is invited in both; in the second with the account that the first made.
  const member = { name: 'Pendo Both', login: 'pendo.both', role: 'evaluator', places: [], locale: 'en' }
  const first = await post<{ invitation_url: string }>(alpha, '/api/members', member)
  const phone = await device(PHONE)
  const { page } = phone
  await page.goto(first.invitation_url.replace(/^.*\/join/, `${server.url}/join`))
  await page.getByLabel(say('setup_password'), { exact: true }).fill(PHRASE)
  await page.getByLabel(say('setup_repeat'), { exact: true }).fill(PHRASE)
  await page.getByRole('button', { name: say('join_go') }).click()
  await phone.choosePin()
  await expect(page.getByRole('link', { name: 'Alpha office' })).toBeVisible()
  await phone.settled()
  const second = await post<{ invitation_url: string }>(beta, '/api/members', { ...member, existing: true })
  await page.goto(second.invitation_url.replace(/^.*\/join/, `${server.url}/join`))
  await phone.unlock()
  await page.getByLabel(say('join_own_password'), { exact: true }).fill(PHRASE)
  await page.getByRole('button', { name: say('join_go') }).click()
  await phone.choosePin()
  await expect(page.getByRole('link', { name: 'Beta office' })).toBeVisible()
  await phone.settled()
  const heads = async () =>
    (await phone.all<{ kind: string; body: { head_name: string } }>('records')).filter(({ kind }) => kind === 'household').map(({ body }) => body.head_name)
  await expect.poll(heads).toEqual(['Zuhura BETA'])

  // And switches: each organisation has a database of its own on the phone.
  await phone.goto('/me')
  await page.getByRole('button', { name: say('organisations_go', { name: 'Alpha office' }) }).click()
  await page.locator('input#pin').fill(PIN)
  await expect(page.getByRole('link', { name: 'Alpha office' })).toBeVisible()
  await expect.poll(heads).toEqual(['Zuhura ALPHA'])

  // A probe of Alpha tries everything of Beta.
  const probe = a.mentor
  const nothing = async (text: string) => {
    for (const secret of ['Zuhura BETA', b.made.household, b.made.evidence, b.mentor.member, 'Mentor of BETA', b.village]) expect(text).not.toContain(secret)
  }
  for (const path of ['/api/households', '/api/households?q=Zuhura', '/api/visits', '/api/members', '/api/places', '/api/devices']) {
    const answer = await probe.request('GET', path)
    expect([path, answer.status]).toEqual([path, 200])
    await nothing(await answer.text())
  }
  await nothing(JSON.stringify(await probe.records()))
  for (const path of [
    `/api/households/${b.made.household}`, `/api/households/${b.made.household}/timeline`, `/api/visits/${b.made.household}`,
    `/api/signatures/${b.made.household}/verify`, `/api/media/${b.made.evidence}/full`,
  ]) {
    expect([path, (await probe.request('GET', path)).status]).toEqual([path, 404])
  }
  // Exports, by whoever may export in Alpha; and that it would have worked with an id of Alpha's.
  for (const path of [`/api/households/${b.made.household}/export`, `/api/members/${b.mentor.member}/export`]) {
    expect([path, (await alpha.request('GET', path)).status]).toEqual([path, 404])
  }
  expect((await alpha.request('GET', `/api/households/${a.made.household}/export`)).status).toBe(200)
  const events = await alpha.request('GET', '/api/audit.csv')
  expect(events.status).toBe(200)
  await nothing(await events.text())
  // Uploads: theirs is not taken up, nor continued, nor looked at.
  expect((await upload(probe, b.made)).status).toBe(404)
  const begun = (await upload(b.mentor, b.made)).headers.get('location')!
  const tus = { 'tus-resumable': '1.0.0', 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' }
  for (const method of ['HEAD', 'PATCH', 'DELETE']) expect([method, (await probe.request(method, begun, undefined, tus)).status]).toEqual([method, 404])
  // Commands that name what is theirs.
  const update = { id: uuid7(), kind: 'household.update', at: Date.now(), body: { id: b.made.household, changes: { notes: { was: null, now: 'x' } } } }
  const refused = await probe.request('POST', '/api/commands', update)
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([422, 'not_found'])
  // A saved copy that says it was made in Beta: nobody vouches for it.
  const item = { v: 1, what: 'command', key: 'x', org: b.village, member: b.mentor.member, device: probe.device, id: uuid7(), enc: '', sealed: '' }
  const copy = await post<{ results: { status: string }[] }>(probe, '/api/outbox', { items: [item] })
  expect(copy.results[0]!.status).toBe('rejected')
  // An invitation of Beta is no way in for whoever has another's: single use, and a wrong one says nothing.
  const used = await fetch(`${server.url}/api/join/preview`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-kilele': '1' }, body: JSON.stringify({ token: betaLink.split('#')[1] }) })
  expect(used.status).toBe(422)

  // The live channel: what happens in Beta is not told; what happens in Alpha after it is.
  await page.evaluate(() => {
    const socket = new WebSocket(`${location.origin.replace('http', 'ws')}/api/live`)
    const heard: string[] = ((window as unknown as { heard: string[] }).heard = [])
    socket.onopen = () => heard.push('open')
    socket.onmessage = ({ data }) => heard.push(String(data))
  })
  const heard = () => page.evaluate(() => (window as unknown as { heard: string[] }).heard)
  await until('the socket', async () => (await heard()).includes('open'))
  await b.mentor.command('household.update', { ...update.body, changes: { notes: { was: null, now: 'Beta was here' } } })
  await a.mentor.command('household.update', { id: a.made.household, changes: { notes: { was: null, now: 'Alpha was here' } } })
  await until('the hint of Alpha', async () => (await heard()).some((hint) => hint.includes(a.village)))
  expect((await heard()).filter((hint) => hint.includes(b.village))).toEqual([])
  expect(admin.errors.concat(phone.errors)).toEqual([])
})
