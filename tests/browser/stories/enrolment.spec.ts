// A household is assessed without a network, applies, is verified at the home by a supervisor's tablet, and approved.
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { signIn, uuid7 } from '../harness/api'
import { choose, takePhoto } from '../harness/form'
import { REPOSITORY, RESULTS } from '../harness/paths'
import { PHONE, TABLET } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

interface Enrolment {
  programme: string
  id: string
  state: string
  position: { lat: number } | null
}
interface Assessment {
  programme: string
  score: number
  qualification: string | null
  phone_score: number | null
}
const { questions } = JSON.parse(readFileSync(join(REPOSITORY, 'instruments/weighted-1.json'), 'utf8')) as {
  questions: { key: string; kind: string; label: { en: string } }[]
}
const answers: Record<string, number> = { ppi: 18, income: 2400, head_age: 66, dependents: 6, adults: 2, market_km: 12, household_size: 7, under_fives: 2 }
const no = ['electricity', 'clean_water', 'head_schooled']

test('assessed offline, applied, verified with photo and position, approved', async ({ server, device }) => {
  const admin = await signIn(server.url, 'admin.demo')
  const facts = { code: 'FY26', name: 'Graduation 2026', kind: 'graduation', category: 'graduation', status: 'open', instrument: 'weighted', version: 1, places: [] }
  const programme = uuid7()
  expect((await admin.request('PUT', `/api/programmes/${programme}`, { programme: facts })).status).toBe(200)
  const amina = await signIn(server.url, 'amina.mentor')
  // One that takes part in nothing yet.
  const taken = new Set((await amina.all<{ household: string }>('enrolment')).map(({ household }) => household))
  const home = (await amina.households()).find(({ id }) => !taken.has(id))!

  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await phone.goto(`/households/${home.id}`)
  await expect(page.getByRole('link', { name: say('assess_title') })).toBeVisible()
  await page.getByRole('link', { name: say('assess_title') }).click()
  // Beside the demonstration's own programme.
  await page.getByLabel(say('assess_programme'), { exact: true }).selectOption(programme)
  await expect(page.getByLabel(new RegExp(`^${questions[0]!.label.en}`))).toBeVisible()
  await phone.browser.setOffline(true)
  for (const { key, kind, label } of questions) {
    if (kind === 'whole') await page.getByLabel(new RegExp(`^${label.en}`)).fill(String(answers[key]))
    else if (kind === 'flag') await choose(page, label.en, say(no.includes(key) ? 'no' : 'yes'))
  }
  await choose(page, say('assess_consent'), say('yes'))
  await page.getByRole('button', { name: say('assess_count') }).click()
  const result = page.locator('#result')
  await expect(result.getByText(say('verdict_qualified'), { exact: true })).toBeVisible()
  const shown = Number(await result.locator('.score strong').innerText())
  await result.getByText(say('assess_factors')).click()
  await page.screenshot({ path: shots('assessment'), fullPage: true })
  await page.getByRole('button', { name: say('assess_save_apply') }).click()
  await expect(page.getByText(say('enrolment_applied'), { exact: true })).toBeVisible()
  const ofThis = async <T extends { programme: string }>(kind: string) => (await amina.all<T>(kind)).filter((one) => one.programme === programme)
  expect(await ofThis('assessment')).toEqual([])

  await phone.browser.setOffline(false)
  const find = async () => (await ofThis<Enrolment>('enrolment'))[0]
  await until('the application', async () => (await find())?.state === 'applied')
  const application = (await find())!.id
  const [assessed] = await ofThis<Assessment>('assessment')
  expect(assessed).toMatchObject({ score: Math.round(shown * 100), qualification: 'qualified', phone_score: null })
  await expect(page.getByText(say('verdict_qualified'), { exact: true })).toBeVisible()

  const tablet = await device(TABLET)
  await tablet.signIn('grace.supervisor')
  await tablet.page.locator('.tabs label', { hasText: say('queue_enrolments') }).click()
  await tablet.page.getByRole('link', { name: new RegExp(home.head_name) }).click()
  for (const move of ['screen', 'send_to_verify']) {
    await tablet.page.getByRole('button', { name: say(`move_${move}`), exact: true }).click()
    await tablet.page.getByRole('dialog').getByRole('button', { name: say(`move_${move}`), exact: true }).click()
  }
  await tablet.page.getByRole('button', { name: say('move_verify'), exact: true }).click()
  await takePhoto(tablet.page, tablet.page.getByRole('link', { name: new RegExp(say('photo_take')) }))
  await expect(tablet.page.getByText(say('place_found'))).toBeVisible()
  await tablet.page.screenshot({ path: shots('verification'), fullPage: true })
  await tablet.page.getByRole('button', { name: say('move_verify'), exact: true }).click()
  await tablet.page.getByRole('button', { name: say('move_approve'), exact: true }).click()
  await tablet.page.getByRole('dialog').getByRole('button', { name: say('move_approve'), exact: true }).click()
  await until('the approval', async () => (await find())?.state === 'approved')
  expect((await find())!.position!.lat).toBeCloseTo(-0.3012, 3)
  await until('the picture of the home', async () => (await amina.evidence()).some(({ slot, state, subject }) => slot === 'site' && state === 'ready' && subject === application))
  await tablet.page.screenshot({ path: shots('enrolment'), fullPage: true })
  expect([...phone.errors, ...tablet.errors]).toEqual([])
})

function shots(name: string): string {
  const folder = join(RESULTS, 'screens', 'enrolment')
  mkdirSync(folder, { recursive: true })
  return join(folder, `${name}.png`)
}
