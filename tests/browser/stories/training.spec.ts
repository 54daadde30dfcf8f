// A training is planned on a tablet, its roll recorded on a phone without a network, and both count the same; who is to be
// there was reminded.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { signIn, uuid7 } from '../harness/api'
import type { Enrolment } from '../harness/enrolling'
import { RESULTS } from '../harness/paths'
import { PHONE, TABLET } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

interface Training {
  id: string
  state: string
  seats: { household: string; mark: { presence: string; arrived_at: number | null } | null }[]
}

test('a training is planned on a tablet, held offline on a phone, and everybody counts the same', async ({ server, device }) => {
  const [admin, amina] = [await signIn(server.url, 'admin.demo'), await signIn(server.url, 'amina.mentor')]
  // Noon, whenever this runs: reminders of the day come from 6:30 on.
  const hour = new Date().getUTCHours()
  const ahead = ((12 - hour + 36) % 24) - 12
  const zone = ahead >= 0 ? `Etc/GMT-${ahead}` : `Etc/GMT+${-ahead}`
  expect((await admin.request('PUT', '/api/organisation', { time_zone: zone })).ok).toBe(true)
  const module = { number: 1, title: { en: 'Saving together', sw: 'Kuweka akiba pamoja' }, active: true }
  expect((await admin.request('PUT', `/api/training/modules/${uuid7()}`, { module })).ok).toBe(true)

  const active = (await amina.all<Enrolment>('enrolment')).filter(({ state }) => state === 'active')
  const of = (place: string) => active.filter((one) => one.place === place)
  const village = active.map(({ place }) => place).sort((a, b) => of(b).length - of(a).length)[0]!
  const homes = (await amina.households()).filter(({ id }) => of(village).some(({ household }) => household === id))
  const names = homes.slice(0, 3).map(({ head_name }) => head_name)
  expect(names.length).toBeGreaterThan(1)
  const places = await amina.all<{ id: string; name: string }>('place')

  const tablet = await device(TABLET)
  await tablet.signIn('grace.supervisor')
  await tablet.goto('/trainings')
  await tablet.page.getByRole('link', { name: say('trainings_plan') }).click()
  const form = tablet.page
  await form.getByLabel(say('training_module')).selectOption({ label: '1. Saving together' })
  await form.getByLabel(say('groups_village')).selectOption({ label: places.find(({ id }) => id === village)!.name })
  await form.getByLabel(say('training_venue'), { exact: true }).fill('Primary school')
  const local = (minutes: number) => new Date(Date.now() + ahead * 3_600_000 + minutes * 60_000).toISOString().slice(0, 16)
  await form.getByLabel(say('training_starts')).fill(local(30))
  await form.getByLabel(say('training_ends')).fill(local(150))
  for (const name of names) await form.getByRole('checkbox', { name: new RegExp(`^${name}`) }).check()
  await form.screenshot({ path: shots('plan'), fullPage: true })
  await form.getByRole('button', { name: say('trainings_plan') }).click()
  await expect(form.getByRole('heading', { level: 1, name: '1. Saving together' })).toBeVisible()
  await until('the plan', async () => (await amina.all<Training>('training')).length === 1)

  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await phone.goto('/trainings')
  await expect(page.getByText('Primary school')).toBeVisible()
  await page.screenshot({ path: shots('list'), fullPage: true })
  await page.getByRole('link', { name: /Saving together/ }).click()
  const row = (name: string) => page.getByRole('group', { name })
  await expect(row(names[0]!)).toBeVisible()
  await phone.browser.setOffline(true)
  await row(names[0]!).getByRole('button', { name: say('training_full') }).click()
  await row(names[1]!).getByRole('button', { name: say('training_partial') }).click()
  await page.getByRole('dialog').getByLabel(say('training_arrived')).fill(local(45).slice(11))
  await page.getByRole('dialog').getByRole('button', { name: say('organisation_keep') }).click()
  for (const name of names.slice(2)) await row(name).getByRole('button', { name: say('training_absent') }).click()
  const count = say('training_count', { full: 1, partial: 1, absent: names.length - 2, open: 0 })
  await expect(page.getByText(count)).toBeVisible()
  await page.screenshot({ path: shots('roll'), fullPage: true })
  await page.getByRole('button', { name: say('training_finish') }).click()
  await expect(page.getByText(say('training_held'))).toBeVisible()
  expect((await amina.all<Training>('training'))[0]!.state).toBe('scheduled')

  // Looked for each minute, by the server's own clock.
  const reminded = async () => (await amina.all<{ kind: string }>('inbox')).some(({ kind }) => kind === 'training_today')
  await until('the reminder', reminded, 90_000)
  await phone.browser.setOffline(false)
  await until('the roll', async () => (await amina.all<Training>('training'))[0]!.state === 'held')
  const [held] = await amina.all<Training>('training')
  expect(held!.seats.map(({ mark }) => mark?.presence).sort()).toEqual(['full', 'partial', 'absent'].slice(0, names.length).sort())
  expect(held!.seats.filter(({ mark }) => mark?.arrived_at)).toHaveLength(1)
  await expect(tablet.page.getByText(count)).toBeVisible()
  await tablet.page.screenshot({ path: shots('tablet'), fullPage: true })

  await phone.goto('/inbox')
  await expect(page.getByText(say('inbox_training_today', { module: '1. Saving together' }))).toBeVisible()
  await page.screenshot({ path: shots('inbox'), fullPage: true })
  expect([...phone.errors, ...tablet.errors]).toEqual([])
})

function shots(name: string): string {
  const folder = join(RESULTS, 'screens', 'training')
  mkdirSync(folder, { recursive: true })
  return join(folder, `${name}.png`)
}
