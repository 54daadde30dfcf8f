// The browser threw the phone's storage away: seen at the start, said to the person, and in the supervisor's ledger.
import { signIn } from '../harness/api'
import { PHONE, TABLET } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { begins, say } from '../harness/words'
import { register } from '../harness/work'

interface Devices {
  devices: { id: string; losses: { records: number; captures: number; items: { what: string }[] }[] }[]
}

test('a vanished database is noticed, named, and reported', async ({ server, device }) => {
  test.setTimeout(180_000)
  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await phone.browser.setOffline(true)
  await register(phone, 'Nafula Wekesa')
  // The names are noted a moment after the numbers.
  await expect.poll(() => page.evaluate(() => localStorage.getItem('kilele-marker'))).toContain('"sealed"')
  await phone.browser.setOffline(false)
  // As browsers do it when the disk is full: nobody is asked.
  await page.goto('about:blank')
  const inspector = await phone.browser.newCDPSession(page)
  await inspector.send('Storage.clearDataForOrigin', { origin: phone.url, storageTypes: 'indexeddb' })
  await page.goto(phone.url)
  await expect(page.getByLabel(say('signin_password'), { exact: true })).toBeVisible()
  await phone.signIn('amina.mentor')
  await expect(page.getByText(say('sync_storage_lost')).first()).toBeVisible()
  await page.getByRole('navigation', { name: say('nav_label') }).getByRole('link', { name: say('nav_me') }).click()
  await expect(page.getByText(say('storage_lost_title')).first()).toBeVisible()
  await expect(page.getByText(say('storage_lost_waiting', { items: '1 record and 1 photo' }))).toBeVisible()
  // By name, although nobody on this phone could know them any more: they were sealed to the server before.
  const names = [`${say('command_household_register')} – Nafula Wekesa`, `${say('slot_front')} – Nafula Wekesa`]
  for (const name of names) await expect(page.getByText(name)).toBeVisible()

  const grace = await signIn(server.url, 'grace.supervisor')
  const losses = async () => (await grace.get<Devices>('/api/devices')).devices.flatMap((one) => one.losses)
  await until('the report', async () => (await losses()).length > 0)
  expect(await losses()).toMatchObject([{ records: 1, captures: 1, items: names.map((what) => ({ what })) }])
  const tablet = await device(TABLET)
  await tablet.signIn('grace.supervisor')
  await tablet.goto('/team/devices')
  await expect(tablet.page.getByText(begins('device_lost'))).toBeVisible()
  for (const name of names) await expect(tablet.page.getByText(name)).toBeVisible()
  // Once: after another start the phone works as any other.
  await phone.goto('/')
  await expect(page.getByText(say('sync_done'))).toBeVisible()
  expect(await losses()).toHaveLength(1)
})
