// Every screen: readable by everyone, in light and dark, with nothing sticking out; and a picture of each to look at.
import { type Login, signIn, uuid7 } from '../harness/api'
import { choose, showing } from '../harness/form'
import { inspect, type Screen } from '../harness/screens'
import { expect, test } from '../harness/story'
import { type Language, say } from '../harness/words'

// No phone emulation: one page takes all three sizes.
const ANY_SIZE = { viewport: { width: 360, height: 740 }, hasTouch: true }

const press =
  (key: string): Screen['act'] =>
  (page, language) =>
    page.getByRole('button', { name: say(key, {}, language), exact: true }).first().click()

test.describe.configure({ timeout: 300_000 })

for (const language of ['en', 'sw'] as Language[]) {
  test(`what mentors see, in ${language}`, async ({ server, device }) => {
    const amina = await signIn(server.url, 'amina.mentor')
    const visits = await amina.visits()
    const visit = (state: string) => visits.find((one) => one.state === state)!.id
    const home = visits.find((one) => one.state === 'approved')!.household
    const returned = visit('returned')
    await look('amina.mentor', 'mentor', language, server.url, device, [
      { name: 'today', path: '/' },
      { name: 'households', path: '/households' },
      { name: 'households-none', path: '/households?q=nobody' },
      { name: 'household', path: `/households/${home}` },
      { name: 'household-plan', path: `/households/${home}`, act: press('plan') },
      { name: 'household-edit', path: `/households/${home}/edit` },
      { name: 'register', path: '/households/new' },
      { name: 'register-faults', path: '/households/new', act: press('register_save') },
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
      { name: 'inbox', path: '/inbox' },
      { name: 'me', path: '/me' },
      { name: 'me-signout', path: '/me', act: press('signout') },
      { name: 'missing', path: `/visits/${uuid7()}` },
      { name: 'not-found', path: '/nowhere' },
    ])
  })

  test(`what supervisors see, in ${language}`, async ({ server, device }) => {
    const grace = await signIn(server.url, 'grace.supervisor')
    const visits = await grace.visits()
    const waiting = visits.find(({ state }) => state === 'submitted')!.id
    await look('grace.supervisor', 'supervisor', language, server.url, device, [
      { name: 'queue', path: '/queue' },
      { name: 'queue-visit', path: `/queue/${waiting}` },
      { name: 'queue-decided', path: '/queue?show=decided' },
      { name: 'queue-return', path: `/queue/${waiting}`, act: press('decide_return') },
      { name: 'queue-approve', path: `/queue/${waiting}`, act: press('decide_approve') },
      { name: 'team', path: '/team' },
      { name: 'households', path: '/households' },
      { name: 'household', path: `/households/${visits[0]!.household}` },
      { name: 'inbox', path: '/inbox' },
      { name: 'me', path: '/me' },
    ])
  })

  test(`what administrators see, in ${language}`, async ({ server, device }) => {
    await look('admin.demo', 'admin', language, server.url, device, [
      { name: 'overview', path: '/admin' },
      { name: 'members', path: '/admin/members' },
      { name: 'member-add', path: '/admin/members', act: press('members_add') },
      {
        name: 'member-change',
        path: '/admin/members',
        act: (page) => page.getByRole('button', { name: /Wanjiku Kamau/ }).click(),
      },
      { name: 'places', path: '/admin/places' },
      { name: 'place-add', path: '/admin/places', act: press('places_add') },
      { name: 'places-import', path: '/admin/places', act: press('places_import') },
      { name: 'households', path: '/households' },
      { name: 'me', path: '/me' },
    ])
  })

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
    await look(null, 'door', language, server.url, device, [
      { name: 'sign-in', path: '/sign-in' },
      { name: 'sign-in-faults', path: '/sign-in', act: press('signin_go') },
      { name: 'join', path: invitation_url.replace(/^https?:\/\/[^/]+/, '') },
      { name: 'join-spoilt', path: '/join#spoilt' },
      { name: 'setup', path: '/setup#anything' },
    ])
  })
}

type Open = Parameters<Parameters<typeof test>[2]>[0]['device']

/** Signs in, chooses the language, looks at every screen, and says everything that is wrong at once. */
async function look(login: Login | null, folder: string, language: Language, url: string, device: Open, screens: Screen[]) {
  const person = await device({ ...ANY_SIZE, locale: language === 'sw' ? 'sw-KE' : 'en-KE' })
  const { page } = person
  if (login) {
    await person.signIn(login, language)
    await person.goto('/me')
    await choose(page, /Language|Lugha/, language === 'sw' ? 'Kiswahili' : 'English')
    await expect(page.getByRole('heading', { level: 1, name: say('me_title', {}, language) })).toBeVisible()
  }
  const found: string[] = []
  for (const screen of screens) {
    await test.step(screen.name, async () => void found.push(...(await inspect(page, url, folder, screen, language))))
  }
  expect(person.errors).toEqual([])
  expect(found).toEqual([])
}
