// Trainings and certificates: readable by everyone, in light and dark, empty and with faults.
import { signIn, uuid7 } from '../harness/api'
import type { Enrolment } from '../harness/enrolling'
import { look, press } from '../harness/look'
import { expect, test } from '../harness/story'

test.describe.configure({ timeout: 300_000 })

const DAY = 86_400_000

test('trainings and certificates', async ({ server, device }) => {
  const { url } = server
  const [admin, amina] = [await signIn(url, 'admin.demo'), await signIn(url, 'amina.mentor')]
  await look('amina.mentor', 'training-none', url, device, [
    { name: 'trainings', path: '/trainings' },
    { name: 'plan', path: '/trainings/new' },
    { name: 'certificates', path: '/certificates' },
  ])

  const [first, second] = [uuid7(), uuid7()]
  const module = (id: string, number: number, en: string, sw: string, prerequisite?: string) =>
    admin.request('PUT', `/api/training/modules/${id}`, { module: { number, title: { en, sw }, prerequisite, active: true } })
  expect((await module(first, 1, 'Saving together', 'Kuweka akiba pamoja')).ok).toBe(true)
  const long = ['Keeping simple books of a small business, day by day', 'Kutunza hesabu rahisi za biashara ndogo, siku kwa siku'] as const
  expect((await module(second, 2, ...long, first)).ok).toBe(true)
  const active = (await amina.all<Enrolment>('enrolment')).filter(({ state }) => state === 'active')
  const of = (place: string) => active.filter((one) => one.place === place)
  const place = active.map((one) => one.place).sort((a, b) => of(b).length - of(a).length)[0]!
  const households = of(place).map(({ household }) => household)
  const starts_at = Date.now() + DAY
  const plan = { place, venue: 'Kanisa la Mtakatifu Yohana, chini ya mwembe', starts_at, ends_at: starts_at + 3 * 3_600_000, capacity: 25, trainer: amina.member, households }
  const training = uuid7()
  await amina.command('training.schedule', { id: training, module: second, ...plan, despite_prerequisite: true })
  await amina.command('training.attend', { id: training, marks: [{ household: households[0]!, was: null, now: { presence: 'full', arrived_at: null, left_at: null } }] })
  const steps = { number: 'KRC-2210', issued_on: '2025-12-10', expires_on: new Date(Date.now() + 20 * DAY).toISOString().slice(0, 10) }
  const added = await amina.request('POST', '/api/certificates', { name: 'First aid in places far from any road', issued_by: 'Red Cross', member: amina.member, ...steps })
  expect(added.ok, await added.text()).toBe(true)

  await look('amina.mentor', 'training', url, device, [
    { name: 'trainings', path: '/trainings' },
    { name: 'session', path: `/trainings/${training}` },
    { name: 'change', path: `/trainings/${training}/edit` },
    { name: 'plan-faults', path: '/trainings/new', act: press('trainings_plan') },
    { name: 'certificates', path: '/certificates' },
    { name: 'session-offline', path: `/trainings/${training}`, act: (page) => page.context().setOffline(true) },
  ])
  await look('admin.demo', 'training-admin', url, device, [
    { name: 'modules', path: '/trainings/modules' },
    { name: 'modules-add', path: '/trainings/modules', act: press('modules_add') },
    { name: 'certificates', path: '/certificates' },
    { name: 'certificates-add', path: '/certificates', act: press('certificates_add') },
  ])
})
