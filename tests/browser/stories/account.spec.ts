// An administrator's own safety, and a household's: a second step, another password, a session ended elsewhere, the
// second step asked on another device, and a household erased there with its proof.
import { createHmac } from 'node:crypto'
import { type Login, PASSWORD, signIn } from '../harness/api'
import { choose } from '../harness/form'
import { DESKTOP, PHONE, unlock } from '../harness/phone'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

const LOGIN: Login = 'admin.demo'
const PHRASE = 'nine patient storks 31'

/** What the authenticator app shows; `ahead` for the code after that, because each is good once. */
function code(secret: string, ahead = 0): string {
  const bits = [...secret.replaceAll(/\s/g, '')].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('')
  const key = Buffer.from(bits.match(/.{8}/g)!.map((byte) => parseInt(byte, 2)))
  const step = Buffer.alloc(8)
  step.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead))
  const tag = createHmac('sha1', key).update(step).digest()
  const number = tag.readUInt32BE(tag.at(-1)! & 15) & 0x7fffffff
  return String(number % 1_000_000).padStart(6, '0')
}

test('a second step, another password, and a household erased with proof', async ({ server, device }) => {
  test.setTimeout(90_000)
  const elsewhere = await signIn(server.url, LOGIN)
  const { id, head_name } = (await elsewhere.households())[0]!
  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn(LOGIN)
  await phone.goto('/me')

  // What is chosen in one window is seen in the other.
  const beside = await phone.browser.newPage()
  await beside.goto(`${server.url}/me`)
  await unlock(beside)
  await choose(beside, say('language_title'), 'Kiswahili')
  await expect(page.getByRole('heading', { level: 1, name: say('me_title', {}, 'sw') })).toBeVisible()
  await choose(beside, say('theme_title', {}, 'sw'), say('theme_dark', {}, 'sw'))
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await choose(page, say('language_title', {}, 'sw'), 'English')
  await expect(beside.getByRole('heading', { level: 1, name: say('me_title') })).toBeVisible()
  await beside.close()

  await page.getByRole('button', { name: say('account_show') }).click()

  await page.getByRole('button', { name: say('second_add') }).click()
  await page.getByLabel(say('password_current'), { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: say('second_next') }).click()
  const secret = (await page.locator('dialog[open] strong.num').textContent())!
  await page.getByLabel(say('second_code'), { exact: true }).fill(code(secret))
  await page.getByRole('button', { name: say('second_next') }).click()
  await expect(page.locator('dialog[open] ol li')).toHaveCount(10)
  await page.getByRole('button', { name: say('recovery_kept') }).click()
  await expect(page.getByText(say('second_on', { count: 10 }))).toBeVisible()

  // The latest other session is ended where it is not needed; the password ends all others.
  expect((await elsewhere.request('GET', '/api/me')).status).toBe(200)
  await page.getByRole('listitem').filter({ hasText: 'Story' }).first().getByRole('button', { name: say('sessions_end') }).click()
  await expect.poll(async () => (await elsewhere.request('GET', '/api/me')).status).toBe(401)
  await page.getByRole('button', { name: say('password_change') }).click()
  await page.getByLabel(say('password_current'), { exact: true }).fill(PASSWORD)
  await page.getByLabel(say('setup_password'), { exact: true }).fill(PHRASE)
  await page.getByLabel(say('setup_repeat'), { exact: true }).fill(PHRASE)
  await page.locator('dialog[open]').getByRole('button', { name: say('password_change') }).click()
  await expect(page.getByText(say('password_changed'))).toBeVisible()

  // On another device the password alone is not enough.
  const desk = await device(DESKTOP)
  const at = desk.page
  await desk.goto('/')
  await at.getByLabel(say('signin_login'), { exact: true }).fill(LOGIN)
  await at.getByLabel(say('signin_password'), { exact: true }).fill(PHRASE)
  await at.getByRole('button', { name: say('signin_go'), exact: true }).click()
  await at.getByLabel(say('second_code'), { exact: true }).fill(code(secret, 1))
  await at.getByRole('button', { name: say('signin_go'), exact: true }).click()
  await desk.choosePin()
  await desk.settled()

  await desk.goto(`/households/${id}`)
  await expect(at.getByRole('heading', { name: head_name })).toBeVisible()
  await at.getByRole('button', { name: say('privacy_erase') }).click()
  await at.getByLabel(say('privacy_reason'), { exact: true }).fill('Asked by letter')
  await at.getByRole('button', { name: say('privacy_erase_go') }).click()
  await expect(at.getByText(say('privacy_erased'))).toBeVisible()
  await expect(at.getByRole('heading', { name: head_name })).toBeHidden()
  await desk.goto('/admin/privacy')
  await at.locator('summary').first().click()
  await expect(at.getByText(say('erasure_reason', { reason: 'Asked by letter' }))).toBeVisible()
  expect(phone.errors.concat(desk.errors)).toEqual([])
})
