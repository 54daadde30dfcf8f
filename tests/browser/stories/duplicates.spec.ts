// A household that is there already is pointed out while it is registered, signed for, merged on the supervisor's tablet,
// taken apart again, and moved to another village.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { signIn, type Household } from '../harness/api'
import { choose, signByTouch } from '../harness/form'
import { RESULTS } from '../harness/paths'
import { PHONE, TABLET } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { begins, say } from '../harness/words'

interface Known extends Household {
  revision: number
  consent_at: number | null
  consents?: { event: string; reason: string }[]
  merged_into?: string
}

test('registered twice with consent, merged, undone, moved', async ({ server, device }) => {
  const [amina, grace] = [await signIn(server.url, 'amina.mentor'), await signIn(server.url, 'grace.supervisor')]
  const home = (await amina.households()).find(({ phone, national_id }) => phone && national_id)!
  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await phone.goto('/households/new')
  await phone.browser.setOffline(true)
  const village = page.getByLabel(say('field_village'))
  if (await village.count()) await village.selectOption(home.place)
  await page.getByLabel(say('field_head_name')).fill(home.head_name)
  await expect(page.getByText(say('alike_low'), { exact: true })).toBeVisible()
  await page.getByLabel(new RegExp(`^${say('field_national_id')}`)).fill(home.national_id!)
  await expect(page.getByText(say('alike_high'), { exact: true })).toBeVisible()
  await page.screenshot({ path: shots('hint'), fullPage: true })
  // It is a second time after all: the mentor goes on, and the household signs.
  await page.getByLabel(new RegExp(`^${say('field_national_id')}`)).fill('')
  await signByTouch(page)
  await page.getByRole('button', { name: say('signature_confirm') }).click()
  await page.screenshot({ path: shots('signed'), fullPage: true })
  await page.getByRole('button', { name: say('register_save') }).click()
  await expect(page.getByRole('heading', { level: 1, name: home.head_name })).toBeVisible()
  await expect(page.getByText(begins('consent_given'))).toBeVisible()
  await phone.browser.setOffline(false)
  const find = async () => (await amina.all<Known>('household')).find((one) => one.head_name === home.head_name && one.id !== home.id)
  await until('the second record with its consent', async () => Boolean((await find())?.consent_at))
  const second = (await find())!
  const statement = (await amina.all<{ template: string; subject: string }>('signature')).find(({ subject }) => subject === second.id)
  expect(statement).toMatchObject({ template: 'consent' })

  // Withdrawn on the household's page.
  await page.getByRole('button', { name: say('consent_withdraw') }).click()
  await page.getByRole('dialog').getByLabel(say('consent_withdraw_reason')).fill('She does not want photos of her home.')
  await page.screenshot({ path: shots('withdraw') })
  await page.getByRole('dialog').getByRole('button', { name: say('consent_withdraw') }).click()
  await expect(page.getByText(say('consent_withdrawn_badge'), { exact: true })).toBeVisible()
  await until('the withdrawal', async () => (await find())?.consents?.length === 2)

  const tablet = await device(TABLET)
  const desk = tablet.page
  await tablet.signIn('grace.supervisor')
  await grace.request('POST', '/api/duplicates/look', {})
  await until('the pair', async () => JSON.stringify(await grace.get('/api/duplicates')).includes(second.id))
  await tablet.goto('/households')
  await desk.getByRole('link', { name: say('duplicates_title') }).click()
  const pair = desk.getByRole('listitem').filter({ hasText: second.number ?? '–' }).filter({ hasText: home.number ?? '–' })
  await expect(pair.getByText(home.head_name).first()).toBeVisible()
  await desk.screenshot({ path: shots('duplicates'), fullPage: true })
  await pair.getByRole('link', { name: say('duplicates_compare') }).click()
  await choose(desk, say('merge_keep'), new RegExp(home.number ?? home.head_name) as unknown as string)
  await desk.screenshot({ path: shots('compare'), fullPage: true })
  await desk.getByRole('button', { name: say('merge_save') }).click()
  await until('the merge', async () => (await find())?.merged_into === home.id)
  await expect(desk.getByText(say('merge_of_title', { name: home.head_name }))).toBeVisible()
  await desk.screenshot({ path: shots('merged'), fullPage: true })

  // And back.
  await desk.getByRole('button', { name: say('merge_undo') }).click()
  await desk.getByRole('dialog').getByRole('button', { name: say('merge_undo') }).click()
  await until('the merge undone', async () => !(await find())?.merged_into)

  // To another village: this phone's caseload loses it.
  await tablet.goto(`/households/${second.id}`)
  await desk.getByRole('button', { name: say('move_button'), exact: true }).click()
  const sheet = desk.getByRole('dialog')
  const other = (await (await signIn(server.url, 'juma.mentor')).households())[0]!.place
  await sheet.getByLabel(say('move_to')).selectOption(other)
  await sheet.getByLabel(say('enrolment_reason')).fill('They live with their daughter now.')
  await desk.screenshot({ path: shots('move') })
  await sheet.getByRole('button', { name: say('move_save') }).click()
  await until('the move', async () => (await grace.all<Known>('household')).find(({ id }) => id === second.id)?.place === other)
  expect(await find()).toBeUndefined()
  await phone.goto(`/households/${second.id}`)
  await expect(page.getByText(say('missing_title'))).toBeVisible({ timeout: 30_000 })
  expect([...phone.errors, ...tablet.errors]).toEqual([])
})

function shots(name: string): string {
  const folder = join(RESULTS, 'screens', 'duplicates')
  mkdirSync(folder, { recursive: true })
  return join(folder, `${name}.png`)
}
