// A phone without room: a photo that could not be kept is refused before the shutter, never after; what is only a copy goes first.
import { expect, type Page } from '@playwright/test'
import { photoFromFile, showing } from '../harness/form'
import { type Device, PHONE } from '../harness/phone'
import { test } from '../harness/story'
import { say } from '../harness/words'

/** Started anew on a disk with so much left; null: as much as there is. A browser that runs believes an old figure for a while.
 * Gives the way to make the disk as large as what is on it: the database may take a megabyte for itself when it is opened,
 * which the browser counts late, and a disk that is overfull has no room even where some was made. */
async function again(phone: Device, left: number | null, path: string, before = async (_: Page) => {}): Promise<() => Promise<void>> {
  await phone.quit()
  await phone.launch()
  const { page, url } = phone
  // A page of the origin that opens nothing.
  await page.goto(`${url}/manifest.webmanifest`)
  const usage = () => page.evaluate(async () => (await navigator.storage.estimate()).usage!)
  let size = (await usage()) + (left ?? 0)
  // It lasts as long as the one who says it listens.
  const inspector = await phone.browser.newCDPSession(page)
  await before(page)
  const resize = () => inspector.send('Storage.overrideQuotaForOrigin', { origin: url, quotaSize: size })
  if (left !== null) await resize()
  await phone.goto(path)
  return async () => {
    size = Math.max(size, await usage())
    await resize()
  }
}

/** Kept pictures of others, as after weeks of looking at faces: 4 MB. */
const lookAtFaces = (page: Page) =>
  page.evaluate(async () => {
    const cache = await caches.open('kilele-pictures-story')
    for (let n = 0; n < 4; n++) {
      const bytes = new Uint8Array(1_000_000)
      for (let at = 0; at < bytes.length; at += 65_536) crypto.getRandomValues(bytes.subarray(at, Math.min(at + 65_536, bytes.length)))
      await cache.put(`/face-${n}`, new Response(bytes))
    }
  })
/** Somebody else's files, to the last twenty kilobytes. */
const fillUp = (page: Page) =>
  page.evaluate(async () => {
    const cache = await caches.open('story-others')
    for (let n = 0; n < 300; n++) {
      const bytes = crypto.getRandomValues(new Uint8Array(20_000))
      if (!(await cache.put(`/file-${crypto.randomUUID()}`, new Response(bytes)).then(() => true, () => false))) return
    }
    throw new Error('the disk does not fill up')
  })
const faces = (page: Page) => page.evaluate(() => caches.has('kilele-pictures-story'))

test('cached pictures go first, then the reserve; then it is said before anybody poses', async ({ device }) => {
  test.setTimeout(180_000)
  const phone = await device(PHONE)
  await phone.signIn('amina.mentor')
  await phone.goto('/households/new')
  await phone.page.getByLabel(say('field_head_name')).fill('Nafula Wekesa')
  await expect(phone.page).toHaveURL(/draft=/)
  const form = new URL(phone.page.url()).pathname + new URL(phone.page.url()).search
  await expect.poll(() => phone.all('drafts').then((all) => all.length)).toBe(1)
  const take = () => phone.page.getByRole('button', { name: say('photo_take'), exact: true })
  const retake = () => phone.page.getByRole('button', { name: say('photo_retake'), exact: true })
  const camera = () => phone.page.getByRole('dialog')
  const photos = async () => Object.keys(await phone.hashes()).length

  // Less room than a photo is given, and four megabytes of pictures that the server still has: those go.
  await lookAtFaces(phone.page)
  await again(phone, 1_000_000, form, async (page) => expect(await faces(page)).toBe(true))
  await take().click()
  await showing(camera().locator('video'))
  expect(await faces(phone.page)).toBe(false)
  expect(await phone.keys('reserve')).toHaveLength(1)

  // Others fill the disk to the brim, again and again: each photo is kept, in the reserve's place at last; then there is
  // no viewfinder, and a sentence that says why. Never is a photo taken and not kept.
  const allTaken = await again(phone, 4_000_000, form)
  const button = take().or(retake())
  const refused = camera().getByRole('heading', { name: say('camera_no_room') })
  let kept = 0
  for (; kept < 40; kept++) {
    await fillUp(phone.page)
    await allTaken()
    await button.click()
    await expect(refused.or(camera().locator('video'))).toBeVisible()
    if (await refused.isVisible()) break
    await photoFromFile(phone.page, null)
    await expect(retake()).toBeVisible()
    expect(await photos()).toBe(1)
  }
  expect(kept).toBeGreaterThan(0)
  await expect(refused).toBeVisible()
  await expect(camera().getByText(say('error_no_room'))).toBeVisible()
  await expect(camera().getByRole('button', { name: say('camera_shutter') })).toHaveCount(0)
  expect(await phone.keys('reserve')).toEqual([])
  expect(await photos()).toBe(1)

  // Room was made: the viewfinder opens.
  await again(phone, null, form)
  await retake().click()
  await showing(camera().locator('video'))
})
