// A photo whose upload breaks off in the middle goes on where it was.
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
  offset: number
}

test('the page is reloaded between chunks: at most one chunk is sent again', async ({ server, line, device }) => {
  const phone = await device(PHONE, line.url)
  const { page } = phone
  await phone.signIn('amina.mentor')
  const patches = () => line.passed.filter(({ method }) => method === 'PATCH')

  await phone.goto('/households/new')
  await page.getByLabel(say('field_head_name')).fill('Achieng Odhiambo')
  await page.getByLabel(say('field_village')).selectOption({ index: 1 })
  await photoFromFile(page, page.getByRole('button', { name: say('photo_take') }))
  const [photo] = (await phone.all<Capture>('captures')) as [Capture]
  // More than the first, cautious chunk.
  expect(photo.bytes).toBeGreaterThan(150_000)

  // The second chunk is cut off after some of its bytes.
  const CUT = 30_000
  const first = line.hold((method) => method === 'PATCH')
  await page.getByRole('button', { name: say('register_save') }).click()
  await first.reached
  const second = line.hold((method) => method === 'PATCH' && patches().length > 1, CUT)
  first.open()
  await second.reached
  expect(patches()[0]!.status).toBe(204)
  const chunk = patches()[0]!.sent
  expect(chunk).toBeLessThan(photo.bytes)
  await page.reload()
  second.cut()

  const amina = await signIn(server.url, 'amina.mentor')
  const arrived = async () => (await amina.evidence()).find(({ id }) => id === photo.id)
  await until('the photo', async () => (await arrived())?.state === 'ready')
  expect(await arrived()).toMatchObject({ bytes: photo.bytes, sha256: photo.sha256 })
  await expect.poll(() => phone.keys('blobs')).toEqual([])

  const sent = patches().reduce((sum, one) => sum + one.sent, 0)
  expect(sent).toBeGreaterThanOrEqual(photo.bytes)
  // What had arrived before the cut is not sent again: the server kept it.
  expect(sent).toBeLessThanOrEqual(photo.bytes * 1.1)
  expect(line.passed.some(({ method }) => method === 'HEAD')).toBe(true)
  expect(line.passed.filter(({ method, path }) => method === 'POST' && path === '/api/uploads')).toHaveLength(1)
})
