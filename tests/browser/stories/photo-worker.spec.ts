// A photo goes up with no page of the app open: the worker sends it when the browser says there is a network.
import { signIn } from '../harness/api'
import { photoFromFile } from '../harness/form'
import { PHONE } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

interface Capture {
  id: string
  bytes: number
  sha256: string
}

test('the worker alone delivers record and photo by the sealed doors, and goes on where it was cut', async ({ server, line, device }) => {
  const phone = await device(PHONE, line.url)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await line.down()
  await phone.goto('/households/new')
  await page.getByLabel(say('field_head_name')).fill('Wambui Otieno')
  await page.getByLabel(say('field_village')).selectOption({ index: 1 })
  await photoFromFile(page, page.getByRole('button', { name: say('photo_take') }))
  const [photo] = (await phone.all<Capture>('captures')) as [Capture]
  await page.getByRole('button', { name: say('register_save') }).click()
  await expect(page.getByText(say('saved_on_phone')).first()).toBeVisible()

  // The worker's own door, reached through the browser: nothing of the app is open.
  const browser = await page.context().newCDPSession(page)
  const registered = new Promise<string>((done) =>
    browser.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => registrations[0] && done(registrations[0].registrationId)))
  await browser.send('ServiceWorker.enable')
  const registrationId = await registered
  await page.goto('about:blank')
  const opened = line.passed.length
  await line.up()
  const sync = () =>
    browser.send('ServiceWorker.dispatchSyncEvent', { origin: line.url, registrationId, tag: 'kilele-outbox', lastChance: false })
  const patches = () => line.passed.filter(({ method }) => method === 'PATCH')
  const gate = line.hold((method) => method === 'PATCH' && patches().length > 1, 10_000)
  await sync()
  await gate.reached
  const arrivedBefore = patches()[0]!.sent
  await server.down()
  gate.cut()
  // A later turn that fails too says that this one is over: it asks how far the upload got.
  const before = line.passed.length
  await until('another turn', async () => {
    await sync()
    return line.passed.slice(before).some(({ method, path }) => method === 'HEAD' && path.startsWith('/api/uploads/'))
  })
  await server.up()
  const amina = await signIn(server.url, 'amina.mentor')
  const arrived = async () => (await amina.evidence()).find(({ id }) => id === photo.id)
  await until('the photo', async () => {
    await sync()
    return (await arrived())?.state === 'ready'
  })
  expect(await arrived()).toMatchObject({ sha256: photo.sha256 })
  expect(line.passed.filter(({ method, path }) => method === 'POST' && path === '/api/uploads')).toHaveLength(1)
  expect(arrivedBefore).toBeGreaterThan(0)
  const sent = patches().filter(({ status }) => status === 204).reduce((sum, one) => sum + one.sent, 0)
  // Sealed on the phone: AES-GCM adds its tag.
  expect(sent).toBe(photo.bytes + 16)
  // Without a session: nothing of the app was open that could have had one.
  expect(line.passed.filter(({ method, path, status }) => method === 'POST' && path === '/api/outbox' && status === 200)).toHaveLength(1)
  expect(line.passed.slice(opened).some(({ path }) => path === '/api/sync')).toBe(false)
  expect((await amina.households()).filter(({ head_name }) => head_name === 'Wambui Otieno')).toHaveLength(1)

  // The app comes back: the receipt lets the bytes go, and nothing is sent again.
  const done = line.passed.length
  await phone.goto('/')
  await expect.poll(() => phone.keys('blobs')).toEqual([])
  await expect.poll(() => phone.keys('outbox')).toEqual([])
  expect(line.passed.slice(done).filter(({ method, path }) => method === 'PATCH' || path === '/api/outbox')).toEqual([])
})
