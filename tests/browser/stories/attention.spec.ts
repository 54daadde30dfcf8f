// What the server refuses waits on the phone with its reason, holds nothing else up, and is corrected, tried again or thrown away.
import { signIn, uuid7 } from '../harness/api'
import { axe } from '../harness/axe'
import { type Device, PHONE } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'
import { register } from '../harness/work'

const SAVING = '1. Saving together'
const BOOKS = '2. Keeping books'

async function plan(phone: Device, venue: string): Promise<void> {
  const { page } = phone
  await page.getByRole('link', { name: say('trainings_plan') }).click()
  await page.getByLabel(say('training_module')).selectOption({ label: SAVING })
  const village = page.getByLabel(say('groups_village'))
  if (!(await village.inputValue())) await village.selectOption({ index: 1 })
  await page.getByLabel(say('training_venue'), { exact: true }).fill(venue)
  await page.getByRole('checkbox').first().check()
  await page.getByRole('button', { name: say('trainings_plan') }).click()
  await expect(page.getByRole('heading', { level: 1, name: SAVING })).toBeVisible()
  await page.goBack()
}

test('corrected in the form it came from, sent again, and arrived once', async ({ server, device }) => {
  test.setTimeout(180_000)
  const [admin, amina] = [await signIn(server.url, 'admin.demo'), await signIn(server.url, 'amina.mentor')]
  const saving = uuid7()
  const module = (number: number, en: string, active: boolean) => ({ number, title: { en, sw: en }, active })
  const put = async (id: string, body: object) => {
    const answer = await admin.request('PUT', `/api/training/modules/${id}`, body)
    expect(answer.status).toBe(200)
    return (await answer.json()) as { revision: number }
  }
  const { revision } = await put(saving, { module: module(1, 'Saving together', true) })
  await put(uuid7(), { module: module(2, 'Keeping books', true) })
  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  const enrolled = async () => (await phone.keys('records')).some((key) => key.startsWith('enrolment,'))
  await until('the first sync', async () => (await enrolled()) && (await page.getByText(say('sync_done')).isVisible()))

  // The plan's form is not kept for times without a network: it is open already.
  await phone.goto('/trainings')
  await page.getByRole('link', { name: say('trainings_plan') }).click()
  await expect(page.getByLabel(say('training_module'))).toBeVisible()
  await page.goBack()

  // On the road: two sessions of a module that the office closes meanwhile, and a household.
  await phone.browser.setOffline(true)
  await plan(phone, 'Primary school')
  await plan(phone, 'Church hall')
  await register(phone, 'Nafula Wekesa', { photo: false })
  await put(saving, { module: module(1, 'Saving together', false), revision })
  await phone.browser.setOffline(false)
  await until('what came after it', async () => (await amina.households()).some(({ head_name }) => head_name === 'Nafula Wekesa'))

  await phone.goto('/')
  await page.getByRole('link', { name: say('sync_attention', { count: 2 }) }).first().click()
  const cards = page.locator('#attention').getByRole('heading', { level: 3 })
  await expect(cards).toHaveCount(2)
  const reasons = page.locator('#attention').getByText(say('error_module_closed'))
  await expect(reasons).toHaveCount(2)
  expect(await axe(page)).toEqual([])
  type Refused = { id: string; command: { id: string; body: { venue: string } } }
  const refused = async () => (await phone.all<Refused>('attention')).map(({ command }) => command)
  const tried = (await refused()).map(({ id }) => id)

  // Tried again, the module is still closed: it comes back, under another name, and is not lost in between.
  await page.getByRole('button', { name: say('try_again') }).first().click()
  await until('the second answer', async () => {
    const now = await refused()
    return now.length === 2 && now.some(({ id }) => !tried.includes(id))
  })

  // One is thrown away, and only after a question.
  await expect(cards).toHaveCount(2)
  await page.getByRole('button', { name: say('discard'), exact: true }).nth(1).click()
  await page.getByRole('dialog').getByRole('button', { name: say('discard_keep') }).click()
  await expect(cards).toHaveCount(2)
  await page.getByRole('button', { name: say('discard'), exact: true }).nth(1).click()
  await page.getByRole('dialog').getByRole('button', { name: say('discard_yes') }).click()
  await expect(cards).toHaveCount(1)

  const [last] = await refused()
  await page.getByRole('button', { name: say('attention_edit') }).click()
  // The form is as it was left.
  await expect(page.getByLabel(say('training_venue'), { exact: true })).toHaveValue(last!.body.venue)
  await expect(page.getByRole('checkbox', { checked: true })).toHaveCount(1)
  await page.getByLabel(say('training_module')).selectOption({ label: BOOKS })
  await page.getByRole('button', { name: say('trainings_plan') }).click()
  await expect(page.getByRole('heading', { level: 1, name: BOOKS })).toBeVisible()
  const trainings = () => amina.all<{ venue: string; module: string }>('training')
  await until('the corrected plan', async () => (await trainings()).length > 0)
  await expect.poll(() => phone.all('outbox')).toEqual([])
  expect((await trainings()).map(({ venue, module }) => [venue, module === saving])).toEqual([[last!.body.venue, false]])
  expect(await phone.all('attention')).toEqual([])
  await phone.goto('/')
  await expect(page.getByText(say('sync_done'))).toBeVisible()
  expect(phone.errors).toEqual([])
})
