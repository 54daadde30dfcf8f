// A village gets another mentor while the first is without a network: it moves to the other phone, with what had not been sent.
import { type Api, signIn } from '../harness/api'
import { PHONE } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'
import { register } from '../harness/work'

interface Person {
  id: string
  role: string
  places: string[]
  supervisor: string | null
}

/** As the administrator's screen does it. */
async function assign(admin: Api, { id, role, supervisor }: Person, places: string[]): Promise<void> {
  const answer = await admin.request('PUT', `/api/members/${id}`, { role, supervisor, places, active: true })
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
}

test('the village leaves one phone and comes to the other, and nothing unsent is lost', async ({ server, device }) => {
  test.setTimeout(180_000)
  const [first, second] = [await device(PHONE), await device(PHONE)]
  await first.signIn('amina.mentor')
  await second.signIn('juma.mentor')
  await first.browser.setOffline(true)
  await register(first, 'Nafula Wekesa')
  const [made] = (await first.all<{ command: { body: { household: { id: string; place: string } } } }>('outbox')).map(({ command }) => command.body.household)
  const [photo] = Object.entries(await first.hashes()) as [[string, string]]

  const admin = await signIn(server.url, 'admin.demo')
  const [amina, juma] = [await signIn(server.url, 'amina.mentor'), await signIn(server.url, 'juma.mentor')]
  const people = await admin.all<Person>('person')
  const [hers, his] = [amina, juma].map(({ member }) => people.find(({ id }) => id === member)!) as [Person, Person]
  const village = made!.place
  const before = (await amina.households()).filter(({ place }) => place === village)
  expect(before.length).toBeGreaterThan(0)
  await assign(admin, hers, hers.places.filter((place) => place !== village))
  await assign(admin, his, [...his.places, village])

  await first.browser.setOffline(false)
  await until('what had not been sent', async () => (await juma.households()).some(({ id }) => id === made!.id))
  await until('its photo', async () => (await juma.evidence()).find(({ id }) => id === photo[0])?.state === 'ready')
  expect((await juma.evidence()).find(({ id }) => id === photo[0])!.sha256).toBe(photo[1])
  // On the first phone nothing of the village is left, and nothing needs attention.
  const homes = async (phone: typeof first) =>
    (await phone.all<{ kind: string; id: string; body: { place: string } }>('records')).filter(({ kind, body }) => kind === 'household' && body.place === village).length
  await expect.poll(() => homes(first)).toBe(0)
  await expect.poll(() => first.keys('blobs')).toEqual([])
  expect(await first.all('attention')).toEqual([])
  await first.goto('/')
  await expect(first.page.getByText(say('sync_done'))).toBeVisible()
  // On the second it is all there, without anybody asking for it.
  await expect.poll(() => homes(second)).toBe(before.length + 1)
  await second.goto(`/households/${made!.id}`)
  await expect(second.page.getByText('Nafula Wekesa').first()).toBeVisible()
})
