// The session ends while there is no network: work goes on, signing in is asked only to send, and nothing is thrown away.
import { signIn } from '../harness/api'
import { PHONE } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'
import { register } from '../harness/work'

test('expired on the road: recorded before and after, sent after signing in', async ({ server, device }) => {
  test.setTimeout(180_000)
  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await phone.browser.setOffline(true)
  await register(phone, 'Nafula Wekesa', { photo: false })
  // What the browser does to a cookie whose time is over.
  await phone.browser.clearCookies()
  await register(phone, 'Chebet Mutua', { photo: false })
  await page.reload()
  await expect(page.getByRole('heading', { name: 'Chebet Mutua' })).toBeVisible()

  await phone.browser.setOffline(false)
  await phone.goto('/')
  const asks = page.getByRole('main').getByRole('link').filter({ hasText: say('sync_signed_out') })
  await expect(asks.first()).toBeVisible()
  // Asked, not forced: the screens stay, and so does recording.
  await expect(page.getByText(say('today_hello', { name: 'Amina' }))).toBeVisible()
  await register(phone, 'Wanjiru Njeri', { photo: false })
  const names = ['Nafula Wekesa', 'Chebet Mutua', 'Wanjiru Njeri']
  const amina = await signIn(server.url, 'amina.mentor')
  const arrived = async () => (await amina.households()).map(({ head_name }) => head_name).filter((name) => names.includes(name)).sort()
  expect(await arrived()).toEqual([])
  expect(await phone.all('outbox')).toHaveLength(3)

  await phone.goto('/')
  await asks.first().click()
  await page.getByLabel(say('signin_login'), { exact: true }).fill('amina.mentor')
  await page.getByLabel(say('signin_password'), { exact: true }).fill('kilele-demo-2026')
  await page.getByRole('button', { name: say('signin_go'), exact: true }).click()
  await until('all three', async () => (await arrived()).length === 3)
  expect(await arrived()).toEqual([...names].sort())
  await phone.goto('/')
  await expect(page.getByText(say('sync_done'))).toBeVisible()
  expect(await phone.all('attention')).toEqual([])
})
