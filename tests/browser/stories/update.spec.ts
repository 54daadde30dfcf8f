// New versions: they wait while a form is open, an interrupted one leaves the old one at work, and the kill switch takes the worker and no work.
import { PHONE, PIN } from '../harness/phone'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'
import { Weather } from '../faults/weather'
import { register } from '../harness/work'

/** The shells that are kept, and which worker is at work. */
const shells = () => caches.keys().then((names) => names.filter((name) => name.startsWith('kilele-shell-')).sort())

test('a new version interrupts no form, and an interrupted one changes nothing', async ({ server, device }) => {
  test.setTimeout(180_000)
  const weather = await Weather.over(server.port)
  try {
    const phone = await device(PHONE, weather.url)
    const { page } = phone
    await phone.signIn('amina.mentor')
    const before = await page.evaluate(shells)
    expect(before).toHaveLength(1)
    await phone.goto('/households/new')
    await page.getByLabel(say('field_head_name')).fill('Nafula Wek')
    await page.evaluate(() => Object.assign(globalThis, { stillHere: true }))
    const update = () =>
      page.evaluate(async () => {
        const registration = (await navigator.serviceWorker.getRegistration())!
        await registration.update()
        const worker = registration.installing ?? registration.waiting
        if (!worker) return 'none'
        if (worker.state === 'installing')
          await new Promise<void>((done) => worker.addEventListener('statechange', () => worker.state !== 'installing' && done()))
        return worker.state
      })

    // Cut while its files are fetched.
    weather.version = 1
    weather.broken = /^\/$/
    expect(await update()).toBe('redundant')
    weather.broken = null
    expect(await page.evaluate(() => navigator.serviceWorker.controller?.state)).toBe('activated')
    await weather.down()
    await page.reload()
    await expect(page.getByLabel(say('field_head_name'))).toHaveValue('Nafula Wek')
    await page.evaluate(() => Object.assign(globalThis, { stillHere: true }))
    await weather.up()

    // Whole: it waits, and the form goes on.
    expect(await update()).toBe('installed')
    await page.getByLabel(say('field_head_name')).pressSequentially('esa')
    await page.getByLabel(say('field_village')).selectOption({ index: 1 })
    // Even when the app comes into view again.
    await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')))
    await page.getByRole('button', { name: say('register_save') }).click()
    await expect(page.getByText(say('saved_on_phone')).first()).toBeVisible()
    expect(await page.evaluate(() => 'stillHere' in globalThis), 'the page was not loaded again').toBe(true)
    expect(await page.evaluate(() => navigator.serviceWorker.getRegistration().then((one) => one?.waiting?.state))).toBe('installed')

    // The person lets it in.
    await page.getByRole('navigation', { name: say('nav_label') }).getByRole('link', { name: say('nav_me') }).click()
    await page.getByRole('button', { name: say('update_now') }).click()
    await page.waitForFunction(() => !('stillHere' in globalThis))
    // Once more where the browser kept the old worker: the start lets the new one in.
    const waits = () => page.evaluate(() => navigator.serviceWorker.getRegistration().then((one) => Boolean(one?.waiting))).catch(() => true)
    await expect.poll(waits).toBe(false)
    await phone.unlock()
    await expect(page.getByRole('heading', { level: 1, name: say('me_title') })).toBeVisible()
    // The one before stays for pages that may still be open.
    await expect.poll(() => page.evaluate(shells)).toEqual([before[0], `${before[0]}-1`])
    expect(phone.errors).toEqual([])
  } finally {
    await weather.down()
  }
})

test('a new version that comes in at the start throws no digit of the PIN away', async ({ server, device }) => {
  const weather = await Weather.over(server.port)
  try {
    const phone = await device(PHONE, weather.url)
    await phone.signIn('amina.mentor')
    weather.version = 1
    await phone.page.evaluate(async () => {
      const registration = (await navigator.serviceWorker.getRegistration())!
      await registration.update()
      const worker = registration.installing!
      await new Promise<void>((done) => worker.addEventListener('statechange', () => worker.state === 'installed' && done()))
    })
    // The first digit is typed at the very moment at which the new version is let in.
    await phone.browser.addInitScript(() => {
      const { postMessage } = ServiceWorker.prototype
      ServiceWorker.prototype.postMessage = function (this: ServiceWorker, message: { type?: string }) {
        const send = () => {
          const pin = document.querySelector<HTMLInputElement>('input#pin')
          if (message.type === 'activate' && !pin) return void requestAnimationFrame(send)
          Reflect.apply(postMessage, this, [message])
          if (message.type !== 'activate') return
          pin!.value = '2'
          pin!.dispatchEvent(new Event('input', { bubbles: true }))
          navigator.serviceWorker.addEventListener('controllerchange', () => Object.assign(globalThis, { tookOver: true }))
        }
        send()
      }
    })
    // Ten minutes later, a touch locks: the page is loaded again, which keeps the new version waiting.
    await phone.page.evaluate(() => {
      const { now } = Date
      Date.now = () => now() + 600_000
    })
    await phone.page.getByRole('heading', { level: 1 }).click()
    await phone.page.waitForFunction(() => 'tookOver' in globalThis)
    await expect(phone.page.locator('input#pin')).toHaveValue('2')
    await phone.page.locator('input#pin').pressSequentially(PIN.slice(1))
    await expect(phone.page.getByRole('heading', { level: 1, name: say('today_title') })).toBeVisible()
    expect(await phone.page.evaluate(() => 'tookOver' in globalThis), 'the page was not loaded again').toBe(true)
    expect(phone.errors).toEqual([])
  } finally {
    await weather.down()
  }
})

test.describe('the kill switch', () => {
  test('takes the worker and its copies of the app, and no row of anybody’s work', async ({ server, device }) => {
    const phone = await device(PHONE)
    const { page } = phone
    await phone.signIn('amina.mentor')
    await phone.browser.setOffline(true)
    await register(phone, 'Nafula Wekesa')
    await phone.browser.setOffline(false)
    await server.down()
    const rows = () =>
      page.evaluate(async () => {
        const counts: Record<string, number> = {}
        const asked = <T>(request: IDBRequest<T>) =>
          new Promise<T>((done, fail) => {
            request.onsuccess = () => done(request.result)
            request.onerror = () => fail(request.error)
          })
        for (const { name } of await indexedDB.databases()) {
          const db = await asked(indexedDB.open(name!))
          for (const store of db.objectStoreNames) counts[`${name} ${store}`] = await asked(db.transaction(store).objectStore(store).count())
          db.close()
        }
        return counts
      })
    const before = await rows()
    expect(before['kilele-people vaults']).toBe(1)
    // Nothing may be delivered meanwhile: every row is to be counted again.
    await phone.browser.route('**/api/**', (route) => route.abort())
    await server.up({ KILELE_KILL_WORKER: 'true' })
    await page.evaluate(() => navigator.serviceWorker.getRegistration().then((one) => one?.update()))
    await expect.poll(() => page.evaluate(() => navigator.serviceWorker.getRegistration().then((one) => one ?? null))).toBeNull()
    expect(await page.evaluate(shells)).toEqual([])
    expect(await rows()).toEqual(before)
    await phone.browser.unrouteAll({ behavior: 'ignoreErrors' })
    // Without a worker the app works from the network, and what waited is sent.
    await phone.goto('/')
    await expect(page.getByText(say('sync_done'))).toBeVisible()
  })
})
