// Where a grant leaves its straight way: sent back, refused, called off, not arrived, disputed, taken back, decided too late.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Api, type Household, signIn } from '../harness/api'
import type { Enrolment } from '../harness/enrolling'
import { act, choose, sign } from '../harness/form'
import { fillUse, type Grant, handIn, lookAt, pay, photographReceipt, step } from '../harness/granting'
import { acknowledge, decide, grantNow, release, submit } from '../harness/grants-api'
import { member, policy } from '../harness/office'
import { RESULTS } from '../harness/paths'
import { DESKTOP, PHONE, TABLET } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

interface Office {
  amina: Api
  grace: Api
  peter: Api
  esther: Api
  policy: string
  programme: string
  homes: Household[]
}

/** Everybody, the seed grant's policy, and households of the mentor's that take part. */
async function open(url: string): Promise<Office> {
  const admin = await signIn(url, 'admin.demo')
  const esther = await member(url, admin, 'esther.manager', 'programme_manager')
  const peter = await member(url, admin, 'peter.approver', 'approver')
  const [amina, grace] = [await signIn(url, 'amina.mentor'), await signIn(url, 'grace.supervisor')]
  const enrolled = (await amina.all<Enrolment>('enrolment')).filter(({ state, mentor }) => state === 'active' && mentor === amina.member)
  const { programme } = enrolled[0]!
  const homes = (await amina.households()).filter(({ id }) => enrolled.some((one) => one.household === id && one.programme === programme))
  return { amina, grace, peter, esther, policy: await policy(esther, programme, 'SB'), programme, homes }
}
const inState = (by: Api, id: string, state: string) => until(`a grant that is ${state}`, async () => (await grantNow(by, id)).state === state)
const parts = async (by: Api, id: string) => (await grantNow(by, id)).tranches.map(({ state }) => state)

test('sent back, corrected without a network, handed in again; decided too late, it is asked again', async ({ server, device }) => {
  test.setTimeout(240_000)
  const { amina, grace, peter, policy, homes: [home] } = await open(server.url)
  const id = await submit(amina, home!, policy)

  const tablet = await device(TABLET)
  await tablet.signIn('grace.supervisor')
  await lookAt(tablet, 'review', home!.head_name)
  await act(tablet.page, 'grant_do_return', 'The kiosk is in town, is it not?')
  await inState(amina, id, 'returned')

  // On the phone it stands on the first screen, with the words; the form is as it was.
  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await expect(page.getByRole('heading', { name: new RegExp(say('today_grants_returned')) })).toBeVisible()
  await page.screenshot({ path: shots('today-returned'), fullPage: true })
  await page.getByRole('link', { name: /The kiosk is in town/ }).click()
  await expect(page.getByRole('button', { name: say('grant_do_submit') })).toBeVisible()
  await phone.browser.setOffline(true)
  await page.getByRole('button', { name: say('grant_do_submit') }).click()
  await expect(page.getByText('The kiosk is in town, is it not?')).toBeVisible()
  await page.screenshot({ path: shots('returned'), fullPage: true })
  await step(page, 'grant_step_plan')
  await expect(page.getByLabel(say('grant_description'))).toHaveValue('A kiosk by the road.')
  await page.getByLabel(say('grant_description')).fill('A kiosk in town, beside the bus stop.')
  await step(page, 'grant_step_amount')
  await choose(page, 'Where it is', 'Town')
  await expect(page.getByText('KES 14,850')).toBeVisible()
  await step(page, 'grant_step_items')
  await page.getByLabel(say('grant_item_unit')).fill('14850')
  await step(page, 'grant_step_signatures')
  await expect(page.locator('blockquote')).toContainText('KES 14,850')
  await sign(page)
  await handIn(page)
  await expect(page.getByText(say('enrolment_waits'), { exact: true })).toBeVisible()
  expect((await grantNow(amina, id)).state).toBe('returned')
  await phone.browser.setOffline(false)
  await inState(amina, id, 'submitted')
  expect((await grantNow(amina, id)).amount.amount_minor).toBe(1_485_000)

  // The approver's tablet was away when it changed once more.
  await decide(grace, id, 'review', 'recommend')
  const other = await device(TABLET)
  await other.signIn('peter.approver')
  await lookAt(other, 'decision', home!.head_name)
  await expect(other.page.getByText('KES 14,850').first()).toBeVisible()
  await other.browser.setOffline(true)
  const changed = async (setting: 'town' | 'rural', amount: number) => {
    await decide(peter, id, 'return')
    await submit(amina, home!, policy, { id, setting, amount })
    await decide(grace, id, 'review', 'recommend')
  }
  await changed('rural', 1_559_300)
  await act(other.page, 'grant_do_approve')
  await other.browser.setOffline(false)
  await other.goto(`/grants/${id}`)
  await expect(other.page.getByText(say('error_stale'))).toBeVisible()
  await expect(other.page.getByText('KES 15,593').first()).toBeVisible()
  await other.page.screenshot({ path: shots('stale'), fullPage: true })
  expect((await grantNow(peter, id)).state).toBe('recommended')

  // While the question is open it changes under the eyes: nothing is decided unseen.
  await other.page.getByRole('button', { name: say('grant_do_approve'), exact: true }).click()
  const dialog = other.page.getByRole('dialog')
  await expect(dialog.getByText('KES 15,593').first()).toBeVisible()
  await changed('town', 1_485_000)
  await expect(dialog.getByText(say('error_stale'))).toBeVisible({ timeout: 60_000 })
  await expect(dialog.getByRole('button', { name: say('grant_do_approve'), exact: true })).toBeHidden()
  await other.page.screenshot({ path: shots('stale-dialog') })
  await dialog.getByRole('button', { name: say('look_back') }).click()
  await act(other.page, 'grant_do_approve')
  await inState(peter, id, 'approved')
  await expect(other.page.getByText(say('grant_state_approved'), { exact: true }).first()).toBeVisible()
  // What was refused before is no longer news.
  await expect(other.page.getByText(say('grant_refused'))).toBeHidden()
  expect([...phone.errors, ...tablet.errors, ...other.errors]).toEqual([])
})

test('rejected by the reviewer; called off by the mentor; and the way is open again', async ({ server, device }) => {
  const { amina, policy, homes: [first, second] } = await open(server.url)
  const [rejected, cancelled] = [await submit(amina, first!, policy), await submit(amina, second!, policy)]

  const tablet = await device(TABLET)
  await tablet.signIn('grace.supervisor')
  await lookAt(tablet, 'review', first!.head_name)
  await act(tablet.page, 'grant_do_reject', 'The shop belongs to a cousin')
  await inState(amina, rejected, 'rejected')
  await expect(tablet.page.locator('#looked-at')).toHaveText(second!.head_name)

  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await phone.goto(`/grants/${cancelled}`)
  await act(page, 'grant_do_cancel', 'The family moves to the coast')
  await inState(amina, cancelled, 'cancelled')
  await expect(page.getByText(/The family moves to the coast/)).toBeVisible()
  await page.screenshot({ path: shots('cancelled'), fullPage: true })
  await expect(tablet.page.getByRole('button', { name: say('grant_do_reject'), exact: true })).toBeHidden()
  for (const action of ['grant_do_submit', 'grant_do_cancel']) await expect(page.getByRole('button', { name: say(action), exact: true })).toBeHidden()

  await phone.goto(`/grants/${rejected}`)
  await expect(page.getByText(/The shop belongs to a cousin/)).toBeVisible()
  await page.screenshot({ path: shots('rejected'), fullPage: true })
  // They may ask again.
  await phone.goto(`/households/${first!.id}`)
  await page.getByRole('link', { name: say('grant_new_title') }).click()
  await expect(page.getByText(say('grant_needs_none'))).toBeVisible()
  await expect(page.getByText(say('grant_has_title'))).toBeHidden()
  expect([...phone.errors, ...tablet.errors]).toEqual([])
})

test('not arrived and paid again; disputed and upheld; taken back by the manager', async ({ server, device }) => {
  test.setTimeout(240_000)
  const { amina, grace, peter, esther, policy, programme, homes: [home] } = await open(server.url)
  const id = await submit(amina, home!, policy)
  await decide(grace, id, 'review', 'recommend')
  await decide(peter, id, 'approve')
  await release(esther, id, 'MPESA-1')

  // The money did not arrive: said, taken back in the books, paid again.
  const desk = await device(DESKTOP)
  await desk.signIn('esther.manager')
  await desk.goto(`/grants/${id}`)
  await act(desk.page, 'grant_do_fail', 'The number is not hers')
  await until('the failure', async () => (await parts(esther, id)).join() === 'failed')
  await act(desk.page, 'grant_do_reverse', 'Sent back by the service')
  await until('the same money again', async () => (await parts(esther, id)).join() === 'reversed,scheduled')
  await desk.page.screenshot({ path: shots('failed'), fullPage: true })
  await pay(desk.page, 'MPESA-2')
  await until('the second payment', async () => (await parts(esther, id)).join() === 'reversed,released')
  await acknowledge(amina, id, home!)

  // Somebody says that it is not as it was written.
  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await phone.goto(`/grants/${id}`)
  await act(page, 'grant_do_dispute', 'A neighbour says that he had it')
  await until('the dispute', async () => (await parts(amina, id)).join() === 'reversed,disputed')
  expect((await grantNow(amina, id)).state).toBe('disbursing')
  await expect(page.getByText('A neighbour says that he had it').first()).toBeVisible()
  await page.screenshot({ path: shots('disputed'), fullPage: true })
  // While nothing is received there is no use to tell of.
  await expect(page.getByRole('button', { name: say('grant_do_utilise') })).toBeHidden()
  // Who submitted it settles no dispute about it.
  await expect(page.getByRole('button', { name: say('grant_do_uphold') })).toBeHidden()

  const tablet = await device(TABLET)
  await tablet.signIn('grace.supervisor')
  await tablet.goto(`/grants/${id}`)
  await act(tablet.page, 'grant_do_uphold', 'Asked both: it was hers')
  await inState(amina, id, 'disbursed')
  expect(await parts(amina, id)).toEqual(['reversed', 'acknowledged'])
  await expect(page.getByRole('article').getByText(say('grant_part_acknowledged'), { exact: true })).toBeVisible()

  // And the manager takes it back all the same.
  await desk.goto(`/grants/${id}`)
  await act(desk.page, 'grant_do_reverse', 'Paid from the wrong account')
  await until('the reversal', async () => (await parts(esther, id)).join() === 'reversed,reversed,scheduled')
  await expect(desk.page.getByRole('button', { name: say('grant_do_release'), exact: true })).toBeVisible()
  await desk.page.screenshot({ path: shots('reversed'), fullPage: true })
  expect(await esther.get(`/api/programmes/${programme}/budget`)).toMatchObject({ committed_minor: 1_559_300, released_minor: 0 })
  expect([...phone.errors, ...tablet.errors, ...desk.errors]).toEqual([])
})

test('a report on use that came back is handed in again', async ({ server, device }) => {
  test.setTimeout(240_000)
  const { amina, grace, peter, esther, policy, homes: [home] } = await open(server.url)
  const id = await submit(amina, home!, policy)
  await decide(grace, id, 'review', 'recommend')
  await decide(peter, id, 'approve')
  await release(esther, id, 'MPESA-1')
  await acknowledge(amina, id, home!)
  const use = async () => (await grantNow(amina, id)).utilisation as Grant['utilisation']

  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await expect(page.getByRole('heading', { name: new RegExp(say('today_use')) })).toBeVisible()
  await page.locator(`a[href="/grants/${id}/use"]`).click()
  await phone.browser.setOffline(true)
  // Nothing is handed in half.
  await page.getByRole('button', { name: say('grant_use_save') }).click()
  await expect(page.getByText(say('grant_use_fault_photo')).first()).toBeVisible()
  await page.screenshot({ path: shots('use-faults'), fullPage: true })
  await fillUse(page, 'Flour and soap', '12000', new Date().toISOString().slice(0, 10))
  await photographReceipt(page)
  await page.getByRole('button', { name: say('grant_use_save') }).click()
  await expect(page.getByText(say('grant_saved_text'))).toBeVisible()
  await phone.browser.setOffline(false)
  await until('the report', async () => (await use())?.state === 'submitted')

  const tablet = await device(TABLET)
  await tablet.signIn('grace.supervisor')
  await lookAt(tablet, 'verification', home!.head_name)
  await act(tablet.page, 'grant_do_return_use', 'What of the other 3,593?')
  await until('its way back', async () => (await use())?.state === 'returned')

  await phone.goto('/')
  await page.locator(`a[href="/grants/${id}/use"]`).click()
  await expect(page.getByText('What of the other 3,593?')).toBeVisible()
  await phone.browser.setOffline(true)
  await expect(page.getByLabel(say('grant_item_what'))).toHaveValue('Flour and soap')
  await page.getByRole('button', { name: say('grant_item_add') }).click()
  await page.getByLabel(say('grant_item_what')).last().fill('Scales')
  await page.getByLabel(say('grant_amount'), { exact: true }).last().fill('3593')
  await page.screenshot({ path: shots('use-returned'), fullPage: true })
  await page.getByRole('button', { name: say('grant_use_save') }).click()
  await expect(page.getByText(say('grant_saved_text'))).toBeVisible()
  await phone.browser.setOffline(false)
  await until('the second report', async () => (await use())?.spent_minor === 1_559_300)
  await lookAt(tablet, 'verification', home!.head_name)
  await act(tablet.page, 'grant_do_verify')
  await inState(amina, id, 'utilised')
  expect((await amina.evidence()).filter(({ slot, superseded_by }) => slot === 'receipt' && !superseded_by)).toHaveLength(1)
  expect([...phone.errors, ...tablet.errors]).toEqual([])
})

function shots(name: string): string {
  const folder = join(RESULTS, 'screens', 'grant-troubles')
  mkdirSync(folder, { recursive: true })
  return join(folder, `${name}.png`)
}
