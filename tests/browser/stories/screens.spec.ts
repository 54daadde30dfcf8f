// Every screen: readable by everyone, in light and dark, with nothing sticking out; and a picture of each to look at.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Login, PASSWORD, signIn, uuid7 } from '../harness/api'
import type { Page } from '@playwright/test'
import { showing } from '../harness/form'
import { REPOSITORY } from '../harness/paths'
import { look, lookAtDoor, press } from '../harness/look'
import type { Screen } from '../harness/screens'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { type Language, say } from '../harness/words'

const done = ({ milestones }: { milestones: { state: string }[] }) =>
  milestones.filter(({ state }) => state === 'completed' || state === 'skipped').length

/** Sends a file of households and waits for its columns. */
async function chooseFile(page: Page, text: string): Promise<void> {
  await page.locator('input[type=file]').setInputFiles({ name: 'registry.csv', mimeType: 'text/csv', buffer: Buffer.from(text) })
  await expect(page).toHaveURL(/imports\/./)
  await expect(page.locator('select').first()).toBeVisible()
}

/** Bars and marks are there. */
const drawn: NonNullable<Screen['act']> = async (page) => {
  await expect(page.locator('.map .spot').first()).toBeVisible()
  await expect.poll(() => page.locator('canvas').evaluateAll((all) => all.every((one) => (one as HTMLCanvasElement).width > 300 || one.clientWidth < 300))).toBe(true)
}

/** By password, up to the PIN. */
const enter: NonNullable<Screen['act']> = async (page, language) => {
  await page.getByLabel(say('signin_login', {}, language), { exact: true }).fill('amina.mentor')
  await page.getByLabel(say('signin_password', {}, language), { exact: true }).fill(PASSWORD)
  await press('signin_go')(page, language)
  await expect(page.locator('input#repeat')).toBeVisible()
}

test.describe.configure({ timeout: 300_000, mode: 'parallel' })

test('what mentors see', async ({ server, device }) => {
  const amina = await signIn(server.url, 'amina.mentor')
  const visits = await amina.visits()
  const visit = (state: string) => visits.find((one) => one.state === state)!.id
  const home = visits.find((one) => one.state === 'approved')!.household
  const returned = visit('returned')
  const climbs = (await amina.all<{ id: string; household: string; state: string; place: string; milestones: { state: string }[] }>('enrolment'))
    .filter(({ state }) => state === 'active')
    .sort((a, b) => done(b) - done(a))
  const groups = await amina.all<{ id: string; place: string; state: string; members: { household: string }[] }>('group')
  const group = groups.find(({ members }) => members.some((one) => one.household === climbs[0]!.household)) ?? groups[0]!
  const alone = climbs.find(({ household }) => !groups.some(({ members }) => members.some((one) => one.household === household)))
  await look('amina.mentor', 'mentor', server.url, device, [
    { name: 'today', path: '/' },
    { name: 'households', path: '/households' },
    { name: 'households-none', path: '/households?q=nobody' },
    { name: 'household', path: `/households/${home}` },
    { name: 'household-own', path: `/households/${home}/own` },
    { name: 'household-plan', path: `/households/${home}`, act: press('plan') },
    { name: 'household-edit', path: `/households/${home}/edit` },
    { name: 'household-consent', path: `/households/${home}/consent` },
    { name: 'register', path: '/households/new' },
    { name: 'register-faults', path: '/households/new', act: press('register_save') },
    { name: 'household-climbing', path: `/households/${climbs[0]!.household}` },
    { name: 'enrolment-climbing', path: `/enrolments/${climbs[0]!.id}` },
    { name: 'ladder', path: `/enrolments/${climbs[0]!.id}/ladder` },
    { name: 'ladder-low', path: `/enrolments/${climbs.at(-1)!.id}/ladder` },
    {
      name: 'ladder-by-hand',
      path: `/enrolments/${climbs.at(-1)!.id}/ladder`,
      act: (page, language) => page.getByRole('button', { name: new RegExp(`^${say('ladder_change', {}, language)}:`) }).first().click(),
    },
    { name: 'ladders', path: '/ladder' },
    { name: 'ladders-late', path: '/ladder?show=late' },
    { name: 'ladders-none', path: '/ladder?q=nobody' },
    { name: 'groups', path: '/groups' },
    { name: 'group', path: `/groups/${group.id}` },
    { name: 'group-dissolve', path: `/groups/${group.id}`, act: press('groups_dissolve') },
    { name: 'group-form', path: `/groups/new${alone ? `?household=${alone.household}` : ''}`, act: press('groups_form') },
    { name: 'group-edit', path: `/groups/${group.id}/edit` },
    { name: 'survey', path: `/groups/${group.id}/survey?kind=performance` },
    { name: 'survey-faults', path: `/groups/${group.id}/survey`, act: press('survey_save') },
    { name: 'assess-midterm', path: `/households/${climbs[0]!.household}/assess?stage=midterm` },
    { name: 'assess-graduation', path: `/households/${climbs[1]!.household}/assess?stage=graduation` },
    { name: 'visit-new', path: '/visits/new' },
    { name: 'visit-planned', path: `/visits/${visit('planned')}` },
    { name: 'visit-calloff', path: `/visits/${visit('planned')}`, act: press('calloff') },
    { name: 'visit-submitted', path: `/visits/${visit('submitted')}` },
    { name: 'visit-returned', path: `/visits/${returned}` },
    { name: 'visit-approved', path: `/visits/${visit('approved')}` },
    ...['details', 'photos', 'place', 'signature', 'review'].map((step) => ({
      name: `form-${step}`,
      path: `/visits/${returned}/edit?step=${step}`,
    })),
    {
      name: 'form-camera',
      path: `/visits/${returned}/edit?step=photos&camera=front`,
      act: (page) => showing(page.locator('video')),
    },
    {
      name: 'form-camera-taken',
      path: `/visits/${returned}/edit?step=photos&camera=back`,
      act: async (page) => {
        await showing(page.locator('video'))
        await page.locator('.shutter').click()
        await expect(page.locator('.use button')).toBeVisible()
      },
    },
    { name: 'grants', path: '/grants' },
    { name: 'grant-new', path: `/grants/new?household=${home}` },
    { name: 'receipt-check', path: '/receipts/check' },
    { name: 'inbox', path: '/inbox' },
    { name: 'me', path: '/me' },
    { name: 'me-told', path: '/me/told' },
    {
      name: 'me-told-group',
      path: '/me/told',
      act: async (page) => {
        const group = page.locator('details').first()
        if (!(await group.evaluate((one) => (one as HTMLDetailsElement).open))) await group.locator('summary').click()
        await expect(group.locator('fieldset').first()).toBeVisible()
      },
    },
    { name: 'me-signout', path: '/me', act: press('signout') },
    { name: 'missing', path: `/visits/${uuid7()}` },
    { name: 'not-found', path: '/nowhere' },
    { name: 'me-pin', path: '/me', act: press('security_change') },
    { name: 'me-devices', path: '/me', act: press('my_devices_show') },
    {
      name: 'unlock',
      path: '/me',
      act: async (page, language) => {
        await press('security_lock')(page, language)
        await expect(page.locator('input#pin')).toBeVisible()
      },
    },
    { name: 'people', path: '/', locked: true, act: press('unlock_other') },
  ])
})

test('what supervisors see', async ({ server, device }) => {
  const grace = await signIn(server.url, 'grace.supervisor')
  const visits = await grace.visits()
  const waiting = visits.find(({ state }) => state === 'submitted')!.id
  const begun = visits.flatMap(({ started_at }) => (started_at ? [new Date(started_at + 3 * 3_600_000).toISOString().slice(0, 10)] : []))
  const worked = begun.sort((a, b) => begun.filter((day) => day === b).length - begun.filter((day) => day === a).length)[0]!
  await trouble(server.url)
  const [one, other] = await twins(server.url)
  await look('grace.supervisor', 'supervisor', server.url, device, [
    { name: 'queue', path: '/queue' },
    { name: 'queue-visit', path: `/queue/${waiting}` },
    { name: 'queue-decided', path: '/queue?show=decided' },
    { name: 'queue-return', path: `/queue/${waiting}`, act: press('decide_return') },
    { name: 'queue-approve', path: `/queue/${waiting}`, act: press('decide_approve') },
    { name: 'team', path: '/team' },
    // A day of the demo on which there were visits, and one without.
    { name: 'dashboard', path: `/figures?date=${worked}`, act: drawn },
    {
      name: 'dashboard-tables',
      path: `/figures?date=${worked}`,
      act: async (page, language) => {
        await drawn(page, language)
        for (const one of await page.locator('summary').all()) await one.click()
      },
    },
    { name: 'dashboard-quiet', path: '/figures?date=2020-02-29' },
    { name: 'visits-of-day', path: `/visits?day=${worked}` },
    { name: 'ladders', path: '/ladder' },
    { name: 'groups', path: '/groups' },
    { name: 'team-unread', path: '/team/unread' },
    { name: 'team-devices', path: '/team/devices' },
    { name: 'households', path: '/households' },
    { name: 'household', path: `/households/${visits[0]!.household}` },
    { name: 'household-move', path: `/households/${one}`, act: press('move_button') },
    { name: 'household-consent-withdraw', path: `/households/${one}`, act: press('consent_withdraw') },
    { name: 'duplicates', path: '/duplicates' },
    { name: 'duplicates-none', path: '/duplicates?show=merged' },
    { name: 'compare', path: `/duplicates/${one}/${other}` },
    { name: 'quality', path: '/quality' },
    { name: 'quality-rows', path: '/quality/households?gap=members' },
    { name: 'inbox', path: '/inbox' },
    { name: 'me', path: '/me' },
  ])
})

test('what administrators see', async ({ server, device }) => {
  await trouble(server.url)
  const admin = await signIn(server.url, 'admin.demo')
  const [programme, policy] = [uuid7(), uuid7()]
  const facts = { code: 'LOOK', name: 'Graduation of the northern wards, second cycle', kind: 'graduation', category: 'graduation', status: 'open', instrument: 'weighted', version: 1, places: [], budget_minor: 1_250_000_000 }
  expect((await admin.request('PUT', `/api/programmes/${programme}`, { programme: facts })).status).toBe(200)
  const seed = JSON.parse(readFileSync(join(REPOSITORY, 'instruments/policy-SB-1.json'), 'utf8')) as object
  expect((await admin.request('PUT', `/api/policies/${policy}`, { policy: present({ ...seed, programme }) })).status).toBe(200)
  const policies = `/admin/programmes/${programme}/policies`
  await look('admin.demo', 'admin', server.url, device, [
    { name: 'overview', path: '/admin' },
    { name: 'policies', path: policies },
    { name: 'policies-add', path: policies, act: press('policies_add') },
    { name: 'policy', path: `${policies}/${policy}` },
    {
      name: 'policy-open',
      path: `${policies}/${policy}`,
      act: async (page) => {
        for (const one of await page.locator('summary').all()) await one.click()
      },
    },
    { name: 'policy-faults', path: `${policies}/${uuid7()}?from=empty`, act: press('policy_save_new') },
    { name: 'visits', path: '/visits?state=submitted' },
    { name: 'enrolments', path: '/enrolments?state=active' },
    { name: 'unproven', path: '/unproven' },
    { name: 'members', path: '/admin/members' },
    { name: 'member-add', path: '/admin/members', act: press('members_add') },
    {
      name: 'member-change',
      path: '/admin/members',
      act: (page) => page.getByRole('button', { name: /Wanjiku Kamau/ }).click(),
    },
    { name: 'audit', path: '/admin/audit' },
    { name: 'keys-add', path: '/admin/keys', act: press('keys_add') },
    { name: 'privacy', path: '/admin/privacy' },
    {
      name: 'member-hand-over',
      path: '/admin/members',
      act: async (page, language) => {
        await page.getByRole('button', { name: /Wanjiku Kamau/ }).click()
        await press('handover_open')(page, language)
      },
    },
    { name: 'ladders', path: '/ladder' },
    { name: 'programmes', path: '/admin/programmes' },
    { name: 'programme-change', path: '/admin/programmes', act: press('edit') },
    { name: 'roles', path: '/admin/roles' },
    { name: 'role-add', path: '/admin/roles', act: press('roles_add') },
    { name: 'organisation', path: '/admin/organisation' },
    { name: 'platform', path: '/platform' },
    { name: 'figures', path: '/figures/all' },
    { name: 'devices', path: '/admin/devices' },
    {
      name: 'device-revoke',
      path: '/admin/devices',
      act: (page, language) =>
        page.getByRole('button', { name: new RegExp(`^${say('device_revoke', {}, language)} ?:`) }).first().click(),
    },
    { name: 'places', path: '/admin/places' },
    { name: 'place-add', path: '/admin/places', act: press('places_add') },
    { name: 'imports', path: '/admin/imports' },
    { name: 'import-columns', path: '/admin/imports', act: (page) => chooseFile(page, 'Name,Village code\nZuhura Mwende,KIL-MA-01\n') },
    {
      name: 'import-found',
      path: '/admin/imports',
      act: async (page, language) => {
        await chooseFile(page, 'Name,Sex,Village code\nZuhura Mwende,?,KIL-MA-01\nZuhura Mwende,f,KIL-MA-02\nZuhura Mwende,f,KIL-MA-02\n')
        await page.getByRole('button', { name: say('imports_check', {}, language) }).click()
        await expect(page.getByText(say('imports_found', {}, language))).toBeVisible()
      },
    },
    { name: 'households', path: '/households' },
    { name: 'me', path: '/me' },
  ])
})

test('what oversight, beneficiaries and those who decide on money see', async ({ server, device }) => {
  const admin = await signIn(server.url, 'admin.demo')
  const household = (await admin.visits()).find(({ state }) => state === 'approved')!.household
  for (const [login, more, path] of [
    ['olga.over', { role: 'oversight' }, '/oversight'],
    ['mary.home', { role: 'beneficiary', household }, '/home'],
    ['esther.manager', { role: 'programme_manager' }, '/grants'],
    ['moses.manager', { role: 'programme_manager' }, '/grants/release'],
    ['peter.approver', { role: 'approver' }, '/grants/waiting'],
  ] as const) {
    const member = { name: login, login, places: [], locale: 'en', ...more }
    const { invitation_url } = (await (await admin.request('POST', '/api/members', member)).json()) as { invitation_url: string }
    const join = { token: invitation_url.split('#')[1], password: PASSWORD, device: { id: uuid7(), name: 'Story' } }
    const headers = { 'content-type': 'application/json', 'x-kilele': '1' }
    const joined = await fetch(`${server.url}/api/join`, { method: 'POST', headers, body: JSON.stringify(join) })
    expect(joined.status).toBe(200)
    await look(login as Login, 'others', server.url, device, [{ name: path.slice(1).replaceAll('/', '-'), path }])
  }
})

for (const language of ['en', 'sw'] as Language[]) {
  test(`what is seen at the door, in ${language}`, async ({ server, device }) => {
    const admin = await signIn(server.url, 'admin.demo')
    const people = await admin.all<{ id: string; role: string; places: string[] }>('person')
    const supervisor = people.find(({ role }) => role === 'supervisor')!.id
    const places = people.find(({ role }) => role === 'mentor')!.places
    const invited = await admin.request('POST', '/api/members', {
      name: 'Halima Juma',
      login: 'halima.juma',
      role: 'mentor',
      supervisor,
      places,
      locale: language,
    })
    const { invitation_url } = (await invited.json()) as { invitation_url: string }
    await lookAtDoor(language, server.url, device, [
      { name: 'sign-in', path: '/sign-in' },
      { name: 'sign-in-faults', path: '/sign-in', act: press('signin_go') },
      { name: 'pin-choose', path: '/sign-in', act: enter },
      {
        name: 'pin-choose-faults',
        path: '/sign-in',
        act: async (page, language) => {
          await enter(page, language)
          await press('pin_choose_go')(page, language)
        },
      },
      { name: 'join', path: invitation_url.replace(/^https?:\/\/[^/]+/, '') },
      { name: 'join-spoilt', path: '/join#spoilt' },
      { name: 'setup', path: '/setup#anything' },
    ])
  })
}

/** A phone that holds two photos back, has little room left, and says that it lost something. */
async function trouble(url: string): Promise<void> {
  const amina = await signIn(url, 'amina.mentor')
  const visit = (await amina.visits()).find(({ state }) => state === 'planned')!
  const day = 86_400_000
  const at = Date.now() - 3 * day
  const have = [at, at + day].map((captured_at, n) => ({
    id: uuid7(), sha256: `${n}`.repeat(64), bytes: 2_400_000, slot: 'front', subject_kind: 'visit', subject: visit.id, captured_at,
  }))
  const stats = {
    version: '0.4.0', records_waiting: 4, captures_waiting: 2, storage_bytes: 310_000_000, storage_used: 1_930_000_000,
    storage_quota: 2_000_000_000, persisted: false, oldest_waiting_at: at, clock_offset: 0,
  }
  const lost = [{
    id: uuid7(), noticed_at: Date.now() - day, last_sync_at: at, records: 2, captures: 1, drafts: 1,
    items: [{ kind: 'record', what: 'Visit – Nyambura wa Kariuki-Wanjohi', at }],
  }]
  const answer = await amina.request('POST', '/api/sync', { device: amina.device, schema: 1, have, stats, lost })
  expect(answer.status).toBe(200)
}

/** The API takes what is left out for nothing. */
const present = (body: unknown): unknown => JSON.parse(JSON.stringify(body, (_, value: unknown) => value ?? undefined))
/** Somebody with a long name who was registered twice, and signed; answers both. */
async function twins(url: string): Promise<[string, string]> {
  const [amina, grace] = [await signIn(url, 'amina.mentor'), await signIn(url, 'grace.supervisor')]
  const { place } = (await amina.households())[0]!
  const facts = { place, head_name: 'Nyanchama-Kwamboka Bosibori Nyaboke Onyancha', head_birth_date: '1981-03-04', phone: '0712 345 678' }
  const [one, other] = [uuid7(), uuid7()]
  await amina.command('household.register', { household: { ...facts, id: one, notes: 'Behind the mill, second gate.' }, evidence: [] })
  await amina.command('household.register', { household: { ...facts, id: other, phone: '0798 765 432', electricity: true, monthly_income_minor: 450_000 }, evidence: [] })
  const thumb = { id: uuid7(), slot: 'document', mime: 'image/jpeg', bytes: 9, sha256: 'a'.repeat(64), width: 4, height: 3, captured_at: Date.now() }
  await amina.command('consent.give', { id: uuid7(), household: one, purpose: 'programme', evidence: [thumb], version: 1, language: 'sw' })
  await grace.request('POST', '/api/duplicates/look', {})
  await until('the pair', async () => JSON.stringify(await grace.get('/api/duplicates')).includes(other))
  return [one, other]
}
