// The browser itself says whether the application can be installed, and what it finds wrong with its manifest.
import { PHONE } from '../harness/phone'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

test('the application can be installed', async ({ device }) => {
  const phone = await device(PHONE)
  await phone.signIn('amina.mentor')
  const inspector = await phone.browser.newCDPSession(phone.page)
  const { errors, data } = await inspector.send('Page.getAppManifest')
  expect(errors).toEqual([])
  const manifest = JSON.parse(data!) as { display: string; start_url: string; icons: { sizes: string; purpose?: string }[] }
  expect(manifest.display).toBe('standalone')
  expect(manifest.icons.some(({ sizes, purpose }) => sizes === '512x512' && purpose === 'maskable')).toBe(true)
  const { installabilityErrors } = await inspector.send('Page.getInstallabilityErrors')
  // A profile made for a test counts as private browsing, where nothing is installed.
  expect(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito')).toEqual([])
})

test('a start waits for no worker: the browser takes the page and its parts by itself', async ({ device }) => {
  const phone = await device(PHONE)
  await phone.signIn('amina.mentor')
  await phone.page.goto(`${phone.url}/`)
  // Chromium's own account (Resource Timing, static routing of service workers).
  const sources = await phone.page.evaluate(() =>
    [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      .filter(({ name }) => name.endsWith('/') || name.includes('/assets/index-'))
      .map((entry) => (entry as unknown as { workerFinalSourceType: string }).workerFinalSourceType))
  expect(sources).toEqual(['cache', 'cache', 'cache'])
  // With a query it is the worker's, which knows the page under every address.
  await phone.page.goto(`${phone.url}/?again`)
  const [asked] = await phone.page.evaluate(() =>
    performance.getEntriesByType('navigation').map((entry) => (entry as unknown as { workerFinalSourceType: string }).workerFinalSourceType))
  expect(asked).not.toBe('cache')
})

test('an iPhone is told how to install, others are not; each asks to keep what it holds, and says how much that is', async ({ device }) => {
  const agent = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1'
  for (const more of [{ userAgent: agent }, {}]) {
    const phone = await device({ ...PHONE, ...more })
    await phone.browser.addInitScript(() => {
      navigator.storage.persist = async () => (sessionStorage.setItem('asked', 'yes'), true)
    })
    await phone.signIn('amina.mentor')
    expect(await phone.page.evaluate(() => sessionStorage.getItem('asked'))).toBe('yes')
    await phone.goto('/me')
    const used = phone.page.locator('dt', { hasText: say('phone_storage') }).locator('+ dd')
    await expect(used).toHaveText(/^[\d.,]+ [kM]B$/)
    await expect(phone.page.getByText(say('install_ios_text'))).toHaveCount('userAgent' in more ? 1 : 0)
  }
})
