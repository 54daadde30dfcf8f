// Back before the screen was there: what comes late takes the place of nothing.
import { PHONE } from '../harness/phone'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

test('a screen that comes after somebody went back leaves them where they are', async ({ device, line }) => {
  const phone = await device(PHONE, line.url)
  const { page } = phone
  await phone.signIn('amina.mentor')
  const nav = page.getByRole('navigation', { name: say('nav_label') })
  const heading = (text: string) => page.getByRole('heading', { level: 1, name: text })
  await nav.getByRole('link', { name: say('nav_households') }).click()
  await expect(heading(say('households_title'))).toBeVisible()

  // The phone has no part of the app any more, and the next screen's is held on its way.
  await page.evaluate(() => caches.keys().then((names) => Promise.all(names.map((name) => caches.delete(name)))))
  const tools = await page.context().newCDPSession(page)
  await tools.send('Network.clearBrowserCache')
  const gate = line.hold((_, path) => /^\/assets\/.*\.js$/.test(path))
  await nav.getByRole('link', { name: say('nav_groups') }).click()
  await gate.reached
  await page.goBack()
  await expect(heading(say('households_title'))).toBeVisible()
  gate.open()
  await page.waitForFunction(() => performance.getEntriesByType('resource').some(({ name }) => /\/assets\/Groups-.*\.js$/.test(name)))
  await expect(heading(say('households_title'))).toBeVisible()
  // And what was held is there when it is wanted.
  await nav.getByRole('link', { name: say('nav_groups') }).click()
  await expect(heading(say('groups_title'))).toBeVisible()
  expect(phone.errors).toEqual([])
})
