// The whole way of two households, by everybody's hands: from a registry's file to the performance grant on paper.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Household, signIn } from '../harness/api'
import { climb, fillGroup, fillSurvey, type Group, photographBusiness } from '../harness/climbing'
import { answer, approve, consent, type Enrolment, openApplication } from '../harness/enrolling'
import { act, choose } from '../harness/form'
import { answerSeed, fillItems, fillPlan, fillUse, type Grant, handIn, lookAt, pay, photographReceipt, receive, recommend, signEach, step } from '../harness/granting'
import * as office from '../harness/office'
import { RESULTS } from '../harness/paths'
import { DESKTOP, type Device, PHONE, TABLET } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

const DAY = 86_400_000
const HEAD = 'HHID;Name of Head;Gender;DOB;ID No.;Village code'
const ROWS = ['1;Zuhura Mwende;F;21/04/1960;55555551;KIL-MA-01', '2;Baraka Lokwang;M;02/03/1959;55555552;KIL-MA-01']
const NAMES = ['Zuhura Mwende', 'Baraka Lokwang']
const BUSINESS = 'Pambazuko Traders'

test.describe.configure({ timeout: 480_000 })

test('from the import to the paper of the performance grant', async ({ server, device }) => {
  const admin = await signIn(server.url, 'admin.demo')
  const programme = await office.programme(admin, 'Graduation 2027', 250_000_000)
  const manager = await office.member(server.url, admin, 'esther.manager', 'programme_manager')
  await office.member(server.url, admin, 'peter.approver', 'approver')
  await office.policy(manager, programme, 'SB')
  await office.policy(manager, programme, 'PR')
  let amina = await signIn(server.url, 'amina.mentor')
  const enrolments = async () => (await amina.all<Enrolment>('enrolment')).filter((one) => one.programme === programme)
  const grantBy = async (key: string) => (await amina.all<Grant>('grant')).find(({ policy, group }) => policy.key === key && group)
  const inState = (key: string, state: string) => until(`the ${key} grant: ${state}`, async () => (await grantBy(key))?.state === state)

  // The manager's desk: a file of the registry.
  const desk = await device(DESKTOP)
  await desk.signIn('esther.manager')
  await bringIn(desk)
  const homes = NAMES.map((name) => ({ name, id: '' }))
  const registered = await amina.all<Household>('household')
  for (const home of homes) home.id = registered.find(({ head_name }) => head_name === home.name)!.id

  // The phone, far from any network: consent, assessment, application.
  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  // What is needed far away has come.
  const needed = [programme, ...homes.map(({ id }) => id)]
  await until('households and programme on the phone', async () => {
    const held = JSON.stringify(await phone.all('records'))
    return needed.every((id) => held.includes(id))
  }, 120_000)
  await phone.browser.setOffline(true)
  for (const { id } of homes) {
    await phone.goto(`/households/${id}`)
    await consent(page)
    await page.getByRole('link', { name: say('assess_title') }).click()
    await page.getByLabel(say('assess_programme'), { exact: true }).selectOption(programme)
    await answer(page)
    await page.getByRole('button', { name: say('assess_save_apply') }).click()
    await expect(page.getByText(say('enrolment_applied'), { exact: true })).toBeVisible()
  }
  expect(await enrolments()).toEqual([])
  await phone.browser.setOffline(false)
  await until('both applications', async () => (await enrolments()).length === 2)

  // The supervisor's tablet, at each home.
  const tablet = await device(TABLET)
  await tablet.signIn('grace.supervisor')
  for (const { name } of homes) {
    await tablet.goto('/queue')
    await openApplication(tablet, name)
    await approve(tablet.page)
    await act(tablet.page, 'move_activate')
    await expect(tablet.page.getByText(say('enrolment_active'), { exact: true }).first()).toBeVisible()
  }
  await until('both take part', async () => (await enrolments()).every(({ state }) => state === 'active'))

  // Without a network again: the group, and its grant, signed by each.
  for (const { id } of homes) {
    await phone.goto(`/households/${id}`)
    await expect(page.getByText(say('enrolment_active'), { exact: true }).first()).toBeVisible({ timeout: 60_000 })
  }
  await phone.browser.setOffline(true)
  await phone.goto(`/households/${homes[0]!.id}`)
  await page.getByRole('link', { name: new RegExp(say('groups_form')) }).click()
  await expect(page.getByRole('checkbox', { name: new RegExp(`^${NAMES[0]}`) })).toBeChecked()
  await fillGroup(page, BUSINESS, [NAMES[1]!])
  await page.getByRole('button', { name: say('groups_form'), exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: BUSINESS })).toBeVisible()
  const group = new URL(page.url()).pathname
  await prepare(phone, 'Seed grant', async () => {
    await answerSeed(page)
    await expect(page.getByText('KES 15,593')).toBeVisible()
  }, [['First stock', '15000'], ['Scales', '593']])
  expect(await grantBy('SB')).toBeUndefined()
  await phone.browser.setOffline(false)
  await inState('SB', 'submitted')

  const other = await device(TABLET)
  await other.signIn('peter.approver')
  const decide = async (key: string, reference: string) => {
    await lookAt(tablet, 'review', BUSINESS)
    await tablet.page.screenshot({ path: shots(`${key}-review`) })
    await recommend(tablet.page)
    await inState(key, 'recommended')
    await lookAt(other, 'decision', BUSINESS)
    await act(other.page, 'grant_do_approve')
    await inState(key, 'approved')
    await lookAt(desk, 'release', BUSINESS)
    await pay(desk.page, reference)
    await inState(key, 'disbursing')
    // To the hand of one of them, where there is no network.
    await phone.goto('/')
    await expect(page.getByRole('heading', { name: new RegExp(say('today_receive')) })).toBeVisible()
    await phone.browser.setOffline(true)
    await page.locator(`a[href^="/grants/${(await grantBy(key))!.id}/receive/"]`).click()
    await choose(page, say('receive_who'), NAMES[1]!)
    await expect(page.locator('blockquote')).toContainText(NAMES[1]!)
    await receive(page, () => page.screenshot({ path: shots(`${key}-receive`), fullPage: true }))
    await page.screenshot({ path: shots(`${key}-receipt`), fullPage: true })
    await phone.browser.setOffline(false)
    await inState(key, 'disbursed')
  }
  await decide('SB', 'MPESA-1')
  const seed = (await grantBy('SB'))!
  const signers = (await amina.all<{ subject: string; household?: string }>('signature')).filter(({ subject }) => subject === seed.id)
  expect(signers.map(({ household }) => household).sort()).toEqual(homes.map(({ id }) => id).sort())

  // What became of it, and the tablet's look at that.
  await phone.goto(`/grants/${seed.id}`)
  await page.getByRole('button', { name: say('grant_do_utilise') }).click()
  await fillUse(page, 'Flour, sugar, soap', '15593', new Date().toISOString().slice(0, 10))
  await phone.browser.setOffline(true)
  await photographReceipt(page)
  await page.getByRole('button', { name: say('grant_use_save') }).click()
  await expect(page.getByText(say('grant_saved_text'))).toBeVisible()
  await phone.browser.setOffline(false)
  await until('the report', async () => (await grantBy('SB'))?.utilisation?.state === 'submitted')
  await lookAt(tablet, 'verification', BUSINESS)
  await act(tablet.page, 'grant_do_verify')
  await inState('SB', 'utilised')

  // How it goes, and what the ladder still asks; by foot, without a network.
  await phone.goto(`/grants/${seed.id}`)
  await expect(page.getByText(say('grant_use_verified'), { exact: true })).toBeVisible()
  await phone.browser.setOffline(true)
  await phone.goto(group)
  await page.getByRole('link', { name: say('survey_new') }).click()
  await choose(page, say('survey_kind'), say('survey_kind_performance'))
  await fillSurvey(page)
  await page.getByLabel(say('survey_score'), { exact: true }).fill('78')
  await expect(page.getByText(say('survey_rating_good'), { exact: true })).toBeVisible()
  await photographBusiness(page)
  await page.screenshot({ path: shots('survey'), fullPage: true })
  await page.getByRole('button', { name: say('survey_save') }).click()
  await expect(page.getByRole('heading', { name: `${say('groups_health')}: ${say('groups_health_green')}` })).toBeVisible()
  for (const { id } of await enrolments()) {
    await climb(phone, id, 1, 'Trained at the market')
    await climb(phone, id, 8, 'Akiba Yetu')
  }
  await page.screenshot({ path: shots('ladder'), fullPage: true })

  // Too early: all is met but the time, and that stands there.
  await phone.goto(group)
  await page.getByRole('link', { name: say('grant_new_title') }).click()
  await choose(page, say('grant_policy'), 'Performance grant')
  const missing = page.getByRole('listitem').filter({ hasText: say('grant_need_missing') })
  await expect(missing).toHaveCount(1)
  await expect(missing).toContainText(`${say('grant_need_days_since')}: ${say('grant_need_days', { count: 180 })}`)
  await page.screenshot({ path: shots('too-early'), fullPage: true })
  const steps = page.getByRole('navigation', { name: say('steps_label') })
  await steps.getByRole('link', { name: new RegExp(`^${say('step_review')}`) }).click()
  await expect(page.getByRole('link', { name: say('grant_fault_needs') })).toBeVisible()
  await expect(page.getByRole('button', { name: say('grant_save') })).toBeDisabled()
  await steps.getByRole('link', { name: new RegExp(`^${say('grant_step_policy')}`) }).click()
  await until('the draft', async () => (await phone.all<{ value: { step?: string; policy?: string } }>('drafts')).some(({ value }) => value.policy && value.step === 'policy'))
  await phone.browser.setOffline(false)
  await until('the survey', async () => (await amina.all<Group>('group')).find(({ name }) => name === BUSINESS)?.health === 'green')

  // Half a year later, for everybody.
  await server.down('SIGTERM')
  server.clock = 181 * DAY
  await server.up()
  amina = await signIn(server.url, 'amina.mentor')
  for (const [each, login] of [[phone, 'amina.mentor'], [tablet, 'grace.supervisor'], [other, 'peter.approver'], [desk, 'esther.manager']] as const) {
    await each.travel(server.clock)
    await each.signInAgain(login)
  }
  await phone.goto(group)
  await phone.browser.setOffline(true)
  await prepare(phone, 'Performance grant', async () => expect(page.getByText('KES 10,000').first()).toBeVisible(), [['A second stall', '10000']])
  await phone.browser.setOffline(false)
  await inState('PR', 'submitted')
  await decide('PR', 'MPESA-2')

  // On paper, at the desk.
  const grant = (await grantBy('PR'))!
  await desk.goto(`/grants/${grant.id}`)
  await desk.page.screenshot({ path: shots('file'), fullPage: true })
  const [download] = await Promise.all([desk.page.waitForEvent('download'), desk.page.getByRole('link', { name: `${say('grant_file_pdf')} (English)` }).click()])
  const paper = shots('paper').replace(/png$/, 'pdf')
  await download.saveAs(paper)
  expect(readFileSync(paper).subarray(0, 5).toString()).toBe('%PDF-')
  const text = execFileSync('pdftotext', ['-layout', paper, '-'], { encoding: 'utf8' })
  for (const told of [grant.number, BUSINESS, ...NAMES, 'Performance grant', 'Graduation 2027', '10,000', 'MPESA-2', 'A second stall', 'Amina', 'Grace', 'Peter Approver', 'Esther Manager'])
    expect(text).toContain(told)
  expect(text).toMatch(new RegExp(`Received by +${NAMES[1]}`))
  execFileSync('pdftoppm', ['-png', '-r', '60', paper, paper.replace(/\.pdf$/, '')])

  const budget = await (await signIn(server.url, 'esther.manager')).get<{ committed_minor: number; released_minor: number }>(`/api/programmes/${programme}/budget`)
  expect(budget).toMatchObject({ committed_minor: 2_559_300, released_minor: 2_559_300 })
  for (const { milestones } of await enrolments())
    expect(milestones.filter(({ state }) => state === 'completed').map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 8, 9, 10])
  for (const one of [phone, tablet, other, desk]) {
    expect(one.errors).toEqual([])
    expect(await one.all('attention')).toEqual([])
  }

  /** From the group's page to what waits to be sent. */
  async function prepare(on: Device, kind: string, amount: () => Promise<void>, items: [string, string][]): Promise<void> {
    await on.page.getByRole('link', { name: say('grant_new_title') }).click()
    await choose(on.page, say('grant_policy'), kind)
    await expect(on.page.getByRole('listitem').filter({ hasText: say('grant_need_missing') })).toHaveCount(0)
    await step(on.page, 'grant_step_plan')
    await fillPlan(on.page)
    await step(on.page, 'grant_step_amount')
    await amount()
    await step(on.page, 'grant_step_items')
    await fillItems(on.page, items)
    await step(on.page, 'grant_step_signatures')
    await signEach(on.page, NAMES)
    await on.page.screenshot({ path: shots(`${kind.split(' ')[0]!.toLowerCase()}-signed`), fullPage: true })
    await handIn(on.page)
  }
})

/** A file is looked at and added. */
async function bringIn(desk: Device): Promise<void> {
  const { page } = desk
  await desk.goto('/admin/imports')
  await page.locator('input[type=file]').setInputFiles({ name: 'registry.csv', mimeType: 'text/csv', buffer: Buffer.from([HEAD, ...ROWS].join('\r\n')) })
  await page.getByRole('button', { name: say('imports_check') }).click()
  await page.getByRole('button', { name: say('imports_commit', { count: ROWS.length }) }).click()
  await expect(page.getByText(say('imports_done', { count: ROWS.length }))).toBeVisible()
}

function shots(name: string): string {
  const folder = join(RESULTS, 'screens', 'graduation')
  mkdirSync(folder, { recursive: true })
  return join(folder, `${name}.png`)
}
