// A phone that dies in the middle of the form: what was typed, photographed and signed is there again.
import { choose, next, photoButton, picturesShow, signByTouch, takePhoto } from '../harness/form'
import { type Device, PHONE } from '../harness/phone'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

const SEEN = 'Kuku sita wameanguliwa; banda ni kavu. ~!"§$%&/ é ñ 你好 🐔'

interface Draft {
  value: { fields: Record<string, unknown> }
}

async function begin(phone: Device): Promise<string> {
  const { page } = phone
  await phone.signIn('amina.mentor')
  await page.getByRole('link', { name: say('today_new_visit') }).click()
  const home = page.getByRole('list', { name: say('households_title') }).getByRole('link').nth(3)
  await home.click()
  await expect(page).toHaveURL(/\/visits\/[\w-]+\/edit/)
  await choose(page, say('field_topics'), say('topic_nutrition'))
  await page.getByLabel(say('field_observations')).pressSequentially(SEEN)
  return (await page.getByRole('heading', { level: 1 }).textContent())!
}

/** The last key's turn to be written: at most 150 ms by the budget, here only that it comes. */
const written = (phone: Device) =>
  expect.poll(async () => (await phone.all<Draft>('drafts'))[0]?.value.fields.observations).toBe(SEEN)

async function reopened(phone: Device, name: string): Promise<void> {
  const { page } = phone
  await phone.goto('/')
  const unfinished = page.locator('section', { has: page.getByRole('heading', { name: say('today_drafts') }) })
  await unfinished.getByRole('link').filter({ hasText: name }).click()
  await expect(page.getByRole('heading', { level: 1, name })).toBeVisible()
}

test('the page crashes: every key stroke is there', async ({ device }) => {
  const phone = await device(PHONE)
  const name = await begin(phone)
  await written(phone)
  const inspector = await phone.browser.newCDPSession(phone.page)
  const crashed = phone.page.waitForEvent('crash')
  // Never answers: there is nobody left to.
  void inspector.send('Page.crash').catch(() => undefined)
  await crashed
  await phone.newPage()
  await reopened(phone, name)
  await expect(phone.page.getByLabel(say('field_observations'))).toHaveValue(SEEN)
  await expect(phone.page.getByRole('checkbox', { name: say('topic_nutrition') })).toBeChecked()
})

test('the battery dies after photos and signature: nothing is done twice', async ({ device, server }) => {
  const phone = await device(PHONE)
  const name = await begin(phone)
  const { page } = phone
  await written(phone)
  await next(page, 'photos')
  await takePhoto(page, photoButton(page, 'front'))
  await takePhoto(page, photoButton(page, 'back'))
  await next(page, 'place')
  await expect(page.getByText(say('place_found'))).toBeVisible()
  await next(page, 'signature')
  await signByTouch(page)
  await page.getByRole('button', { name: say('signature_confirm') }).click()
  await expect(page.getByRole('status').filter({ hasText: say('signature_done') })).toBeVisible()
  await expect.poll(async () => JSON.stringify((await phone.all<Draft>('drafts'))[0]?.value)).toContain('strokes')
  const photos = await phone.hashes()
  expect(Object.keys(photos)).toHaveLength(2)

  await phone.die()
  await server.down()
  await phone.launch()
  await reopened(phone, name)
  expect(await phone.hashes()).toEqual(photos)
  await phone.page.getByRole('navigation', { name: say('steps_label') }).getByRole('link', { name: say('step_review') }).click()
  await expect(phone.page.getByText(say('review_ready'))).toBeVisible()
  await expect(phone.page.getByText(SEEN)).toBeVisible()
  await picturesShow(phone.page.locator('figure'), 2)
  await phone.page.getByRole('button', { name: say('visit_save') }).click()
  await expect(phone.page.getByText(say('saved_on_phone')).first()).toBeVisible()
})
