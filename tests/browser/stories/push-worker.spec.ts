// What a push becomes on the phone: a notice that anybody may read, and the way to the visit.
import { signIn } from '../harness/api'
import { choose } from '../harness/form'
import { PHONE } from '../harness/phone'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

interface Notice {
  title: string
  body: string
  url: string
  icon: string
  badge: string
}

test('a push is shown without names, in the phone’s language, and leads to the visit', async ({ server, device }) => {
  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  const amina = await signIn(server.url, 'amina.mentor')
  const visit = (await amina.visits()).find(({ state }) => state === 'returned')!
  const home = (await amina.households()).find(({ id }) => id === visit.household)!

  const inspector = await phone.browser.newCDPSession(page)
  const registration = new Promise<string>((done) =>
    inspector.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      const one = registrations.find(({ isDeleted }) => !isDeleted)
      if (one) done(one.registrationId)
    }),
  )
  await inspector.send('ServiceWorker.enable')
  const registrationId = await registration
  const push = (payload: object | string) =>
    inspector.send('ServiceWorker.deliverPushMessage', {
      origin: server.url,
      registrationId,
      data: typeof payload === 'string' ? payload : JSON.stringify(payload),
    })
  const notices = (): Promise<Notice[]> =>
    page.evaluate(async () => {
      const shown = await (await navigator.serviceWorker.ready).getNotifications()
      return shown.map((one) => {
        const { title, body, data, icon, badge } = one as Notification & { badge: string }
        return { title, body, url: (data as { url: string }).url, icon, badge }
      })
    })

  // A worker that is just starting or stopping has nobody to deliver to: a push service tries again, and so does this
  // one. The same event twice is one notice.
  const delivered = async (payload: object | string, body: string) =>
    expect
      .poll(async () => {
        await push(payload)
        return (await notices()).map((notice) => notice.body)
      })
      .toContain(body)
  await page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready
    while (active!.state !== 'activated') await new Promise((done) => active!.addEventListener('statechange', done, { once: true }))
  })
  const text = { en: 'A visit came back to you with a note', sw: 'Ziara imerudishwa kwako ikiwa na maelezo' }
  const returned = { v: 1, kind: 'visit_returned', inbox: 'one', url: `/visits/${visit.id}`, at: Date.now(), unread: 3, text }
  await delivered(returned, 'A visit came back to you with a note')
  expect(await notices()).toHaveLength(1)
  const [notice] = (await notices()) as [Notice]
  expect(notice).toMatchObject({ title: 'Kilele', body: 'A visit came back to you with a note', url: `/visits/${visit.id}` })
  for (const name of home.head_name.split(' ')) expect(JSON.stringify(notice)).not.toContain(name)
  for (const picture of [notice.icon, notice.badge]) {
    const answer = await fetch(picture)
    expect(answer.status, picture).toBe(200)
    expect(answer.headers.get('content-type')).toMatch(/^image\//)
  }

  // The same event again replaces its notice; another one, or one that cannot be read, is shown beside it.
  await push(returned)
  await delivered('not what anybody expects', 'There is news for you')
  expect((await notices()).map(({ body }) => body).sort()).toEqual([
    'A visit came back to you with a note',
    'There is news for you',
  ])

  // No browser lets a script touch a notice in a person's place; what the worker then tells the page is told here.
  const [worker] = phone.browser.serviceWorkers()
  await worker!.evaluate(async (url) => {
    const { clients } = globalThis as unknown as { clients: { matchAll(): Promise<{ postMessage(message: unknown): void }[]> } }
    for (const client of await clients.matchAll()) client.postMessage({ type: 'open', url })
  }, notice.url)
  await expect(page).toHaveURL(`${server.url}/visits/${visit.id}`)
  await expect(page.getByText(visit.note!).first()).toBeVisible()

  await phone.goto('/me')
  await choose(page, say('language_title'), 'Kiswahili')
  await expect(page.getByRole('heading', { level: 1, name: say('me_title', {}, 'sw') })).toBeVisible()
  const approved = { en: 'A visit of yours was approved', sw: 'Ziara yako imeidhinishwa' }
  await delivered({ v: 1, kind: 'visit_approved', inbox: 'two', url: '/inbox', at: Date.now(), text: approved }, approved.sw)
})
