// A list of fifty faces is one cheap page: painted from the records at once, fetched as it is looked at, then kept.
import { PHONE } from '../harness/phone'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

/** Bytes a second and the way there and back, as the browsers' own "Slow 3G" has it. */
const SLOW_3G = { bytes: 50_000, trip: 400 }

test('only faces in sight are fetched, and none twice', async ({ line, device }) => {
  const phone = await device(PHONE, line.url)
  const { page } = phone
  await phone.signIn('amina.mentor')
  // Pictures that hang would hold up the rest of the first sync: a browser opens six lines to a server, and no more.
  const homes = async () => (await phone.keys('records')).filter((key) => key.startsWith('household,')).length
  await expect.poll(homes, { timeout: 30_000 }).toBeGreaterThanOrEqual(50)
  const asked = () => line.passed.filter(({ path }) => path.startsWith('/api/media/')).length
  await page.evaluate(() => caches.delete('kilele-media'))
  const before = line.passed.length
  const thumbs = () =>
    line.passed.slice(before).filter(({ path, status }) => status === 200 && /^\/api\/media\/[^/]+\/thumb/.test(path))

  // Rows that the browser skips have no box of their own yet.
  const inSight = () =>
    page
      .getByRole('list', { name: say('households_title') })
      .getByRole('listitem')
      .evaluateAll((all) => all.filter((row) => row.checkVisibility({ contentVisibilityAuto: true }) && row.getBoundingClientRect().top < innerHeight).length)

  // No picture gets through yet: what is seen comes from the records.
  const gate = line.hold((_, path) => path.startsWith('/api/media/'))
  await phone.goto('/households')
  const rows = page.getByRole('list', { name: say('households_title') }).getByRole('link')
  await expect.poll(() => rows.count()).toBeGreaterThanOrEqual(50)
  const blurred = page.locator('.avatar img[src^="data:"]')
  await expect.poll(() => blurred.count()).toBeGreaterThanOrEqual(await inSight())
  const painted = await blurred.count()
  await gate.reached
  const others = line.passed.slice(before).filter(({ path }) => !path.startsWith('/api/media/'))
  gate.open()

  const loaded = () => page.locator('.avatar img:not([src^="data:"])').evaluateAll((all) => all.filter((one) => (one as HTMLImageElement).naturalWidth > 0).length)
  // Those that Today showed a moment ago may be on the phone already; the others come now.
  await expect.poll(loaded).toBeGreaterThanOrEqual((await inSight()) - 1)
  const first = thumbs().length
  // What is in sight, a thumb's move ahead, and what Today was still asking for.
  expect(first).toBeLessThanOrEqual((await inSight()) + 8)

  await rows.nth(49).scrollIntoViewIfNeeded()
  for (let row = 0; row < 50; row++) await rows.nth(row).scrollIntoViewIfNeeded()
  await expect.poll(loaded).toBeGreaterThanOrEqual(50)
  await expect.poll(async () => (await page.locator('.avatar img:not([src^="data:"])').count()) - (await loaded())).toBe(0)
  const seen = thumbs()
  expect(new Set(seen.map(({ path }) => path)).size).toBe(seen.length)
  const bytes = seen.reduce((sum, { received }) => sum + received, 0)
  expect(bytes / seen.length).toBeLessThan(8_000)

  // Looked at again: nothing of it crosses the line.
  const count = asked()
  await page.reload()
  await expect.poll(loaded).toBeGreaterThan(3)
  await expect.poll(async () => (await page.locator('.avatar img:not([src^="data:"])').count()) - (await loaded())).toBe(0)
  expect(asked()).toBe(count)

  const kb = (n: number) => `${(n / 1000).toFixed(1)} kB`
  const firstBytes = seen.slice(0, first).reduce((sum, { received }) => sum + received, 0)
  console.log(
    `50 rows: ${painted} placeholders of those in sight from the records; first screen ${first} thumbs of ${kb(firstBytes)}` +
      ` (${(firstBytes / SLOW_3G.bytes + SLOW_3G.trip / 1000).toFixed(1)} s of Slow 3G), ${others.length} other requests;` +
      ` scrolled through: ${seen.length} thumbs of ${kb(bytes)}; again: 0`,
  )
})
