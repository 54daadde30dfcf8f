// Two grants from the plan to the verified report: a phone without a network, three tablets and a desk, five people.
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { signIn } from '../harness/api'
import { act, sign } from '../harness/form'
import { answerSeed, fillItems, fillPlan, fillUse, type Grant, handIn, lookAt, photographReceipt, receive, recommend, step } from '../harness/granting'
import { member, policy } from '../harness/office'
import { RESULTS } from '../harness/paths'
import { DESKTOP, PHONE, TABLET } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

interface Acknowledgement {
  id: string
  counted: boolean
  amount_minor: number
}
const today = new Date().toISOString().slice(0, 10)

test('prepared offline, reviewed, approved together, released from a file, received, used, verified', async ({ server, device }) => {
  test.setTimeout(420_000)
  const admin = await signIn(server.url, 'admin.demo')
  const manager = await member(server.url, admin, 'esther.manager', 'programme_manager')
  await member(server.url, admin, 'peter.approver', 'approver')
  const amina = await signIn(server.url, 'amina.mentor')
  const [enrolled] = (await amina.all<{ household: string; programme: string; state: string; mentor: string }>('enrolment')).filter(({ state, mentor }) => state === 'active' && mentor === amina.member)
  await policy(manager, enrolled!.programme, 'SB')
  const taking = (await amina.all<{ household: string; programme: string; state: string; mentor: string }>('enrolment')).filter((one) => one.state === 'active' && one.mentor === amina.member)
  const homes = (await amina.households()).filter(({ id }) => taking.some(({ household }) => household === id)).slice(0, 2)
  expect(homes).toHaveLength(2)
  const grants = () => amina.all<Grant>('grant')
  const grantOf = async (household: string) => (await grants()).find((one) => one.household === household)

  // The phone, far from any network.
  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  // All that is needed far away has come.
  for (const home of homes) {
    await phone.goto(`/households/${home.id}`)
    await expect(page.getByRole('link', { name: say('grant_new_title') })).toBeVisible()
    await expect(page.locator('a[href^="/enrolments/"]').first()).toBeVisible({ timeout: 60_000 })
  }
  await phone.browser.setOffline(true)
  for (const [at, home] of homes.entries()) {
    await phone.goto(`/households/${home.id}`)
    await page.getByRole('link', { name: say('grant_new_title') }).click()
    await expect(page.getByText(say('grant_needs_none'))).toBeVisible()
    await step(page, 'grant_step_plan')
    await fillPlan(page)
    await step(page, 'grant_step_amount')
    await answerSeed(page)
    await expect(page.getByText('KES 15,593')).toBeVisible()
    if (!at) await page.screenshot({ path: shots('amount'), fullPage: true })
    await step(page, 'grant_step_items')
    await page.getByLabel(say('grant_item_unit')).fill('15000')
    await expect(page.getByText(say('grant_sum_short', { amount: 'KES 593' }))).toBeVisible()
    await fillItems(page, [['First stock', '15000'], ['Scales', '593']])
    // A phone that loses its page loses nothing. (The last key has its 150 ms.)
    const kept = async () => (await phone.all<{ value: { items?: { unit: string }[] } }>('drafts')).some(({ value }) => value.items?.at(-1)?.unit === '593')
    if (!at) await until('the draft', kept)
    if (!at) await phone.goto('/')
    if (!at) await page.getByRole('link', { name: new RegExp(say('command_grant_submit')) }).click()
    await step(page, 'grant_step_signatures')
    await expect(page.locator('blockquote')).toContainText('KES 15,593')
    await sign(page)
    if (!at) await page.screenshot({ path: shots('signed'), fullPage: true })
    await handIn(page)
  }
  expect(await grants()).toEqual([])
  await phone.browser.setOffline(false)
  await until('both applications', async () => (await grants()).filter(({ state }) => state === 'submitted').length === 2)
  const [first, second] = [(await grantOf(homes[0]!.id))!, (await grantOf(homes[1]!.id))!]
  expect(first).toMatchObject({ amount: { amount_minor: 1_559_300 }, phone_amount_minor: null })

  // The supervisor's tablet.
  const tablet = await device(TABLET)
  await tablet.signIn('grace.supervisor')
  for (const home of homes) {
    await lookAt(tablet, 'review', home.head_name)
    await recommend(tablet.page, home === homes[0] ? () => tablet.page.screenshot({ path: shots('review') }) : undefined)
    await until('the recommendation', async () => (await grantOf(home.id))!.state === 'recommended')
  }

  // The approver's tablet: both at once.
  const other = await device(TABLET)
  await other.signIn('peter.approver')
  await other.goto('/grants/waiting?show=decision')
  await expect(other.page.getByText(/left of the budget/).first()).toBeVisible()
  await other.page.getByRole('button', { name: say('batch_choose') }).click()
  for (const box of await other.page.getByRole('checkbox').all()) await box.check()
  await other.page.screenshot({ path: shots('batch') })
  await other.page.getByRole('button', { name: say('batch_approve') }).click()
  await other.page.getByRole('dialog').getByRole('button', { name: say('batch_go', { amount: 'KES 31,186' }) }).click()
  await expect(other.page.getByText(say('batch_result', { done: 2, count: 2 }))).toBeVisible()
  await other.page.screenshot({ path: shots('batch-answers') })

  // The manager's desk, with the file of the mobile-money service.
  const desk = await device(DESKTOP)
  await desk.signIn('esther.manager')
  await desk.goto('/grants/release')
  await expect(desk.page.getByText(say('release_sum', { count: 2, amount: 'KES 31,186' }))).toBeVisible()
  const lines = [
    'Completed,Details,Paid out,Receipt No.',
    `${today},Grant ${first.number} to ${homes[0]!.head_name},"15,593.00",QA1`,
    `${today},Grant ${second.number},15593,QA2`,
    `${today},Grant ${second.number},15000,QA3`,
    `${today},Grant ${first.number},15593,QA4`,
    `${today},Rent of the office,9000,QA5`,
  ]
  await desk.page.locator('input[type=file]').setInputFiles({ name: 'payments.csv', mimeType: 'text/csv', buffer: Buffer.from(lines.join('\r\n')) })
  for (const [key, count] of [['release_matched', 2], ['release_twice', 1], ['release_not_found', 1]] as const)
    await expect(desk.page.getByText(say(key), { exact: true })).toHaveCount(count)
  await expect(desk.page.getByText(say('release_other_amount_is', { amount: 'KES 15,593' }))).toHaveCount(1)
  await desk.page.screenshot({ path: shots('release-found'), fullPage: true })
  expect((await grants()).every(({ tranches }) => tranches[0]!.state === 'scheduled')).toBe(true)
  await desk.page.getByRole('button', { name: say('release_go', { count: 2, amount: 'KES 31,186' }) }).click()
  await desk.page.getByRole('dialog').getByRole('button', { name: say('release_confirm_go'), exact: true }).click()
  await expect(desk.page.getByText(say('release_progress', { done: 2, count: 2 }))).toBeVisible()
  await desk.page.screenshot({ path: shots('release-done'), fullPage: true })
  const [kept] = await Promise.all([desk.page.waitForEvent('download'), desk.page.getByRole('button', { name: say('release_download') }).click()])
  expect(readFileSync((await kept.path())!, 'utf8')).toContain('QA1')
  expect((await grants()).map(({ tranches }) => tranches[0]!.reference).sort()).toEqual(['QA1', 'QA2'])

  // Handed over where there is no network.
  await phone.goto('/')
  await expect(page.getByRole('heading', { name: new RegExp(say('today_receive')) })).toBeVisible()
  await phone.browser.setOffline(true)
  await page.locator(`a[href^="/grants/${first.id}/receive/"]`).click()
  await expect(page.getByText('Fifteen thousand five hundred and ninety-three Kenya shillings')).toBeVisible()
  await receive(page, () => page.screenshot({ path: shots('receive'), fullPage: true }))
  await page.screenshot({ path: shots('receipt'), fullPage: true })
  await page.getByText(say('receipt_as_text')).click()
  const code = await page.locator('code').innerText()
  await phone.goto('/receipts/check')
  await page.getByLabel(say('check_code')).fill(code)
  await page.getByRole('button', { name: say('check_go'), exact: true }).click()
  await expect(page.getByText(say('check_genuine'), { exact: true })).toBeVisible()
  const forged = JSON.parse(Buffer.from(code.slice(10), 'base64url').toString()) as { a: number }
  await page.getByLabel(say('check_code')).fill(`KILELE-R1.${Buffer.from(JSON.stringify({ ...forged, a: forged.a * 10 })).toString('base64url')}`)
  await page.getByRole('button', { name: say('check_go'), exact: true }).click()
  await expect(page.getByText(say('check_unfit'), { exact: true })).toBeVisible()
  await page.screenshot({ path: shots('check'), fullPage: true })
  await phone.browser.setOffline(false)
  await until('the receipt', async () => (await grantOf(homes[0]!.id))!.state === 'disbursed')
  expect(await amina.all<Acknowledgement>('acknowledgement')).toMatchObject([{ counted: true, amount_minor: 1_559_300 }])
  await until('its picture', async () => (await amina.evidence()).some(({ slot, subject, state }) => slot === 'front' && subject === (JSON.parse(Buffer.from(code.slice(10), 'base64url').toString()) as { k: string }).k && state !== 'announced'))

  // What became of it.
  await phone.goto(`/grants/${first.id}`)
  await page.getByRole('button', { name: say('grant_do_utilise') }).click()
  await fillUse(page, 'Flour, sugar, soap', '15593', today)
  await photographReceipt(page)
  await photographReceipt(page, { another: true })
  await page.screenshot({ path: shots('use'), fullPage: true })
  await page.getByRole('button', { name: say('grant_use_save') }).click()
  await until('the report', async () => (await grantOf(homes[0]!.id))!.utilisation?.state === 'submitted')
  await until('both receipts', async () => (await amina.evidence()).filter(({ slot, state }) => slot === 'receipt' && state !== 'announced').length === 2)

  await tablet.goto('/grants/waiting?show=verification')
  await expect(tablet.page.locator('#looked-at')).toHaveText(homes[0]!.head_name)
  await tablet.page.screenshot({ path: shots('verification') })
  await act(tablet.page, 'grant_do_verify')
  await until('the verification', async () => (await grantOf(homes[0]!.id))!.state === 'utilised')
  await phone.goto(`/grants/${first.id}`)
  await expect(page.getByText(say('grant_use_verified'), { exact: true })).toBeVisible()
  await page.screenshot({ path: shots('grant'), fullPage: true })
  expect([...phone.errors, ...tablet.errors, ...other.errors, ...desk.errors]).toEqual([])
})

function shots(name: string): string {
  const folder = join(RESULTS, 'screens', 'grant')
  mkdirSync(folder, { recursive: true })
  return join(folder, `${name}.png`)
}
