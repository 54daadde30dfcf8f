// A phone that reaches nobody hands its work over as a file: by another phone, by the server's own command, and in the end itself.
import { join } from 'node:path'
import { signIn } from '../harness/api'
import { PHONE } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { begins, say } from '../harness/words'
import { register } from '../harness/work'

test('a saved copy arrives by another phone, by a command and by its own phone, and once', async ({ server, device }) => {
  const [lost, helper] = [await device(PHONE), await device(PHONE)]
  await lost.signIn('amina.mentor')
  await expect(lost.page.getByText(say('sync_done'))).toBeVisible()
  await lost.browser.setOffline(true)
  await register(lost, 'Nafula Wekesa')
  const [photo] = Object.entries(await lost.hashes()) as [[string, string]]
  await lost.goto('/me')
  const [saved] = await Promise.all([
    lost.page.waitForEvent('download'),
    lost.page.getByRole('button', { name: say('copy_save') }).click(),
  ])
  await expect(lost.page.getByText(say('copy_saved', { count: 2 }))).toBeVisible()
  const file = join(server.data, saved.suggestedFilename())
  await saved.saveAs(file)

  const amina = await signIn(server.url, 'amina.mentor')
  const arrived = async () => ({
    homes: (await amina.households()).filter(({ head_name }) => head_name === 'Nafula Wekesa').length,
    photos: (await amina.evidence()).filter(({ id }) => id === photo[0]).map(({ state, sha256 }) => `${state} ${sha256}`),
  })
  expect(await arrived()).toEqual({ homes: 0, photos: [] })
  await helper.signIn('juma.mentor')
  await helper.goto('/me')
  await helper.page.locator('input[type=file][accept*=".kilele"]').setInputFiles(file)
  await expect(helper.page.getByText(begins('copy_delivered'))).toBeVisible()
  await until('its photo', async () => (await arrived()).photos[0]?.startsWith('ready') ?? false)
  const once = { homes: 1, photos: [`ready ${photo[1]}`] }
  expect(await arrived()).toEqual(once)

  const { code, said } = server.command('import', 'outbox', file)
  expect(said).not.toContain('Nafula')
  expect(code).toBe(0)
  expect(await arrived()).toEqual(once)
  await lost.browser.setOffline(false)
  await lost.goto('/')
  await expect(lost.page.getByText(say('sync_done'))).toBeVisible()
  await expect.poll(() => lost.keys('blobs')).toEqual([])
  expect(await lost.all('attention')).toEqual([])
  expect(await arrived()).toEqual(once)
  expect([...lost.errors, ...helper.errors]).toEqual([])
})
