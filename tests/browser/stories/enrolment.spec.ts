// A household is assessed without a network, applies, is verified at the home by a supervisor's tablet, and approved.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { signIn } from '../harness/api'
import { answer, approve, type Enrolment, openApplication, questions } from '../harness/enrolling'
import * as office from '../harness/office'
import { RESULTS } from '../harness/paths'
import { PHONE, TABLET } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

interface Assessment {
  programme: string
  score: number
  qualification: string | null
  phone_score: number | null
}
test('assessed offline, applied, verified with photo and position, approved', async ({ server, device }) => {
  const admin = await signIn(server.url, 'admin.demo')
  const programme = await office.programme(admin, 'Graduation 2027', 250_000_000)
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
  await answer(page)
  const result = page.locator('#result')
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
  await openApplication(tablet, home.head_name)
  await approve(tablet.page, () => tablet.page.screenshot({ path: shots('verification'), fullPage: true }))
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
