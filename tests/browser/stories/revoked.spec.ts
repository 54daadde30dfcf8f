// An administrator ends a phone's access: it hands over what it holds, wipes itself and says so.
import { signIn } from '../harness/api'
import { dump, foundIn } from '../harness/dump'
import { DESKTOP, PHONE } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'
import { register } from '../harness/work'

interface Devices {
  devices: { id: string; member: string; name: string }[]
}

test('revoked while it was away: it delivers, wipes itself and says so', async ({ server, device }) => {
  test.setTimeout(180_000)
  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await phone.browser.setOffline(true)
  await register(phone, 'Nafula Wekesa')
  const [photo] = Object.entries(await phone.hashes()) as [[string, string]]

  const amina = await signIn(server.url, 'amina.mentor')
  const own = (await amina.get<Devices>('/api/devices')).devices.find(({ member, name }) => member === amina.member && name.startsWith('Chrome'))!
  const desk = await device(DESKTOP)
  await desk.signIn('admin.demo')
  await desk.goto('/admin/devices')
  const card = desk.page.getByRole('listitem').filter({ has: desk.page.getByRole('heading', { name: new RegExp(`Amina Hassan – ${own.name}`) }) })
  await card.getByRole('button', { name: new RegExp(`^${say('device_revoke')}`) }).click()
  await desk.page.getByRole('button', { name: say('device_revoke_yes') }).click()
  await expect(desk.page.getByText(say('device_revoke_done'))).toBeVisible()

  await phone.browser.setOffline(false)
  await expect(page.getByRole('heading', { level: 1, name: say('revoked_title') })).toBeVisible()
  await expect(page.getByText(say('revoked_text'))).toBeVisible()
  // What it held has arrived, whole.
  await until('the photo', async () => (await amina.evidence()).find(({ id }) => id === photo[0])?.state === 'ready')
  expect((await amina.evidence()).find(({ id }) => id === photo[0])!.sha256).toBe(photo[1])
  expect((await amina.households()).filter(({ head_name }) => head_name === 'Nafula Wekesa')).toHaveLength(1)
  // And nothing of it is left on the phone, in clear or sealed.
  await expect.poll(() => page.evaluate(async () => (await indexedDB.databases()).map(({ name }) => name).sort())).toEqual(['kilele', 'kilele-people'])
  const left = await dump(page)
  expect(foundIn(left, ['Nafula', 'Amina', amina.member, photo[0], photo[1]])).toEqual([])
  // The phone can be used again by nobody: it says so at the door.
  await page.goto(phone.url)
  await page.getByLabel(say('signin_login'), { exact: true }).fill('amina.mentor')
  await page.getByLabel(say('signin_password'), { exact: true }).fill('kilele-demo-2026')
  await page.getByRole('button', { name: say('signin_go'), exact: true }).click()
  await expect(page.getByText(say('error_device_revoked'))).toBeVisible()
})
