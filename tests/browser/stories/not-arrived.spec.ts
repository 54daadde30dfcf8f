// A photo that was taken and has not arrived is named by its day, with how that phone is doing, to a supervisor and an administrator.
import { signIn } from '../harness/api'
import { DESKTOP, PHONE, TABLET } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'
import { register } from '../harness/work'

test('one photo, on which day, from which phone; and when it has arrived, nothing', async ({ server, line, device }) => {
  test.setTimeout(180_000)
  const phone = await device(PHONE, line.url)
  await phone.signIn('amina.mentor')
  // Its record gets through, its picture does not.
  const gate = line.hold((_, path) => path.startsWith('/api/uploads'))
  const before = Date.now()
  await register(phone, 'Nafula Wekesa')
  await gate.reached
  // The organisation's clock, in Nairobi: three hours ahead of UTC. Midnight may come in between.
  const wall = (at: number) => new Date(at + 3 * 3_600_000)
  const day = (at: Date) => `${at.getUTCDate()} ${say('dates_months_short').split(',')[at.getUTCMonth()]} ${at.getUTCFullYear()}`
  const days = [before, Date.now()].map((at) => say('device_missing', { count: 1, day: day(wall(at)) }).replaceAll('.', '\\.'))
  // The record's own answer may not have been read when the phone said so.
  const backlog = new RegExp(say('device_backlog_value', { records: '[01]', photos: 1 }))
  const mine = (own: typeof phone) => own.page.getByRole('listitem').filter({ hasText: 'Amina Hassan – Chrome' })
  const [desk, office] = [await device(TABLET), await device(DESKTOP)]
  await desk.signIn('grace.supervisor')
  await office.signIn('admin.demo')
  for (const [who, path] of [[desk, '/team/devices'], [office, '/admin/devices']] as const) {
    await who.goto(path)
    const card = mine(who)
    await expect(card.getByText(new RegExp(days.join('|')))).toBeVisible()
    await expect(card.getByText(say('device_last_seen'), { exact: true })).toBeVisible()
    await expect(card.getByText(say('device_version'), { exact: true })).toBeVisible()
    await expect(card.getByText(backlog)).toBeVisible()
    await expect(card.getByText(say('phone_storage'), { exact: true })).toBeVisible()
  }
  gate.open()
  const amina = await signIn(server.url, 'amina.mentor')
  await until('the photo', async () => {
    const home = (await amina.households()).find(({ head_name }) => head_name === 'Nafula Wekesa')
    return (await amina.evidence()).some(({ subject, state }) => subject === home?.id && state === 'ready')
  })
  await desk.goto('/team/devices')
  await expect(mine(desk).getByText(say('device_all_arrived'))).toBeVisible()
  expect([...phone.errors, ...desk.errors, ...office.errors]).toEqual([])
})
