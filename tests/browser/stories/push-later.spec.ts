// What a person does with a notice: opens it, with a network, without one, and with the app closed; or puts it off. And the
// number on the app's icon, which goes down with what is read here or elsewhere.
import type { Page, Worker } from '@playwright/test'
import { signIn } from '../harness/api'
import { PHONE } from '../harness/phone'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

interface Entry {
  id: string
  kind: string
  subject: string
  read_at: number | null
}
type Marked = typeof globalThis & { badges: number[]; opened: string[] }

/** No headless browser has an icon: what is asked of it is written down instead. */
const countBadges = () => {
  const here = globalThis as Marked
  here.badges = []
  Object.defineProperty(navigator, 'setAppBadge', { configurable: true, value: async (count: number) => void here.badges.push(count) })
}
const badge = (of: Page | Worker): Promise<number | undefined> =>
  (of as Page).evaluate(() => (globalThis as Marked).badges.at(-1))

/**
 * As if the notice of this message was tapped. No browser lets a script do that in a person's place, nor focus or open a window
 * without them: the worker's own listener gets the event, and the two windows' doors are made to open.
 */
async function tap(worker: Worker, inbox: string, action: string): Promise<string[]> {
  return worker.evaluate(
    async ({ inbox, action }) => {
      const here = globalThis as unknown as Marked & {
        registration: ServiceWorkerRegistration
        clients: { openWindow(path: string): Promise<unknown> }
        WindowClient: { prototype: { focus(): Promise<unknown> } }
        NotificationEvent: new (type: string, init: object) => Event
      }
      here.opened = []
      here.clients.openWindow = async (path) => void here.opened.push(path)
      here.WindowClient.prototype.focus = async function () {
        return this
      }
      const notice = (await here.registration.getNotifications()).find(({ data }) => (data as { inbox?: string }).inbox === inbox)
      if (!notice) throw new Error('no such notice')
      const work: Promise<unknown>[] = []
      const event = new here.NotificationEvent('notificationclick', { notification: notice, action })
      Object.defineProperty(event, 'waitUntil', { value: (promise: Promise<unknown>) => void work.push(promise) })
      here.dispatchEvent(event)
      await Promise.all(work)
      return here.opened
    },
    { inbox, action },
  )
}

test('a notice is opened, also without a network, or put off; the icon counts what is unread', async ({ server, device }) => {
  const phone = await device(PHONE)
  const { page, browser } = phone
  await browser.addInitScript(countBadges)
  await phone.signIn('amina.mentor')
  await phone.settled()
  const [amina, grace] = [await signIn(server.url, 'amina.mentor'), await signIn(server.url, 'grace.supervisor')]
  const visit = (await amina.visits()).find(({ state }) => state === 'returned')!
  const entry = (await amina.all<Entry>('inbox')).find(({ subject }) => subject === visit.id)!
  const unread = async () => (await amina.all<Entry>('inbox')).filter(({ read_at }) => read_at === null).length

  await page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready
    while (active!.state !== 'activated') await new Promise((done) => active!.addEventListener('statechange', done, { once: true }))
  })
  const worker = browser.serviceWorkers()[0]!
  await worker.evaluate(countBadges)
  const inspector = await browser.newCDPSession(page)
  const registration = new Promise<string>((done) =>
    inspector.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const one = registrations.find(({ isDeleted }) => !isDeleted)
      if (one) done(one.registrationId)
    }),
  )
  await inspector.send('ServiceWorker.enable')
  const registrationId = await registration
  const shown = () =>
    worker.evaluate(async () => {
      const { registration } = globalThis as unknown as { registration: ServiceWorkerRegistration }
      return (await registration.getNotifications()).map((one) => {
        const { tag, data, actions } = one as Notification & { actions: { action: string; title: string }[] }
        return { tag, inbox: (data as { inbox?: string }).inbox, actions: actions.map(({ action, title }) => `${action}: ${title}`) }
      })
    })
  const text = { en: 'A visit came back to you with a note', sw: 'Ziara imerudishwa kwako ikiwa na maelezo' }
  const payload = { v: 1, kind: 'visit_returned', inbox: entry.id, url: `/visits/${visit.id}`, at: Date.now(), unread: 7, text }
  const push = async () => {
    await expect
      .poll(async () => {
        await inspector.send('ServiceWorker.deliverPushMessage', { origin: server.url, registrationId, data: JSON.stringify(payload) })
        return (await shown()).length
      })
      .toBe(1)
  }

  await push()
  expect(await shown()).toEqual([{ tag: entry.id, inbox: entry.id, actions: ['open: Open', 'later: Later'] }])
  expect(await badge(worker)).toBe(7)

  // Later: gone from the phone, and with the server, which sends it again in an hour (tests/api/push.rs).
  await tap(worker, entry.id, 'later')
  expect(await shown()).toEqual([])
  // Later without a network: nobody would send it again, so it stays.
  await push()
  await browser.setOffline(true)
  await tap(worker, entry.id, 'later')
  expect(await shown()).toHaveLength(1)

  // Open, still without a network: the visit is on this phone.
  expect(await tap(worker, entry.id, 'open')).toEqual([])
  await expect(page).toHaveURL(`${server.url}/visits/${visit.id}`)
  await expect(page.getByText(visit.note!).first()).toBeVisible()
  await browser.setOffline(false)

  // A tap beside the buttons opens it too, and from nowhere when no page of the app is open.
  await phone.goto('/')
  await push()
  await tap(worker, entry.id, '')
  await expect(page).toHaveURL(`${server.url}/visits/${visit.id}`)
  await push()
  const away = await browser.newPage()
  await away.goto('about:blank')
  await page.close()
  expect(await tap(worker, entry.id, 'open')).toEqual([`/visits/${visit.id}`])
  await browser.setOffline(true)
  const [opened] = [await phone.newPage()]
  await opened.goto(`${server.url}/visits/${visit.id}`)
  await phone.unlock()
  await expect(opened.getByText(visit.note!).first()).toBeVisible()
  await browser.setOffline(false)

  // The icon: what is unread, at once less when it is read here …
  await opened.goto(`${server.url}/inbox`)
  await phone.unlock()
  await expect.poll(() => badge(opened)).toBe(await unread())
  expect(await unread()).toBeGreaterThan(0)
  await opened.getByRole('button', { name: say('inbox_read_all') }).click()
  await expect.poll(() => badge(opened)).toBe(0)
  await expect.poll(unread).toBe(0)
  // … more when something happens, and less when that is read on another device.
  const decided = (await grace.visits()).find(({ state, household }) => state === 'submitted' && household)!
  const mine = (await amina.visits()).find(({ id }) => id === decided.id)
  const waiting = mine ?? (await amina.visits()).find(({ state }) => state === 'submitted')!
  await grace.command('visit.return', { id: waiting.id, revision: waiting.revision, note: 'One more picture of the shop' })
  await expect.poll(() => badge(opened), { timeout: 15_000 }).toBe(1)
  const news = (await amina.all<Entry>('inbox')).filter(({ read_at }) => read_at === null)
  await amina.command('inbox.read', { ids: news.map(({ id }) => id) })
  await expect.poll(() => badge(opened), { timeout: 15_000 }).toBe(0)
})
