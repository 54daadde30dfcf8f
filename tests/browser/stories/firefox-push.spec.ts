// Push from end to end in Firefox: subscribed by the switch on "Me", sealed by the server, carried by a push service,
// opened by the browser, shown by the service worker.
import puppeteer, { type Page } from 'puppeteer-core'
import { signIn } from '../harness/api'
import { Autopush } from '../harness/autopush'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { PIN } from '../harness/phone'
import { say } from '../harness/words'

/** What the service worker shows at this moment. */
const shown = (page: Page) =>
  page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready
    return (await registration.getNotifications()).map(({ title, body, data }) => ({ title, body, data: JSON.stringify(data) }))
  })

test('a mentor with Firefox is told of a returned visit', async ({ server }) => {
  const service = await Autopush.start()
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: '/usr/bin/firefox-esr',
    headless: true,
    extraPrefsFirefox: {
      'dom.push.serverURL': service.url,
      'dom.push.testing.allowInsecureServerURL': true,
      'dom.push.connection.enabled': true,
      // As if the person had tapped "Allow".
      'permissions.default.desktop-notification': 1,
      'alerts.useSystemBackend': false,
    },
  })
  try {
    const page = await browser.newPage()
    await page.goto(server.url)
    await page.locator('::-p-text(Amina Hassan)').click()
    for (const field of ['#pin', '#repeat']) await page.locator(`input${field}`).fill(PIN)
    await page.locator(`::-p-text(${say('pin_choose_go')})`).click()
    await page.locator('h1 ::-p-text(Today)').wait()
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
    await page.goto(`${server.url}/me`)
    await page.locator('::-p-text(Notify me on this phone)').click()

    const mentor = await signIn(server.url, 'amina.mentor')
    const supervisor = await signIn(server.url, 'grace.supervisor')
    await until('the subscription', async () => (await mentor.request('POST', '/api/push/test')).status === 204)
    await until('the test notification', async () => (await shown(page)).length > 0)

    const visit = (await mentor.visits()).find(({ state }) => state === 'submitted')!
    const note = 'Wanjiru asks for one more picture of the stall'
    await supervisor.command('visit.return', { id: visit.id, revision: visit.revision, note })
    const told = async () => (await shown(page)).find(({ data }) => data.includes(`/visits/${visit.id}`))
    await until('the notification', async () => (await told()) !== undefined)
    expect(JSON.stringify(await told())).not.toContain('Wanjiru')
    await until('the browser to say so', () => service.acknowledged.length === service.taken.length)
    expect(service.acknowledged.every(({ code }) => code === 100)).toBe(true)
  } finally {
    await browser.close()
    await service.end()
  }
})
