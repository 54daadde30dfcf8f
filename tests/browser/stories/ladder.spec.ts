// Without a network a mentor forms a group and surveys its business; the households' ladders climb by themselves when it arrives.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Api, signIn } from '../harness/api'
import { climb, fillGroup, fillSurvey, type Group, milestones, photographBusiness } from '../harness/climbing'
import type { Enrolment } from '../harness/enrolling'
import { choose } from '../harness/form'
import { RESULTS } from '../harness/paths'
import { DESKTOP, PHONE } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

const step = (number: number) => `${number}. ${milestones.find((one) => one.number === number)!.name.en}`

/** A group in whose village somebody else takes part and is in none. */
async function neighbours(mentor: Api): Promise<{ group: Group; alone: Enrolment }> {
  const [groups, enrolments] = await Promise.all([mentor.all<Group>('group'), mentor.all<Enrolment>('enrolment')])
  const active = groups.filter(({ state }) => state === 'active')
  const grouped = new Set(active.flatMap(({ members }) => members.map(({ household }) => household)))
  for (const group of active) {
    const free = enrolments.find(({ state, place, household }) => state === 'active' && place === group.place && !grouped.has(household))
    if (free) return { group, alone: free }
  }
  throw new Error('nobody is alone')
}

test('a group is dissolved, another formed and surveyed offline, and the ladders climb', async ({ server, device }) => {
  const amina = await signIn(server.url, 'amina.mentor')
  const { group: old, alone } = await neighbours(amina)
  const homes = await amina.households()
  const named = (id: string) => homes.find((home) => home.id === id)!.head_name
  const rung = async (number: number) =>
    (await amina.all<Enrolment>('enrolment')).find(({ id }) => id === alone.id)!.milestones.find((one) => one.number === number)!
  expect((await rung(2)).state).toBe('not_started')

  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await page.getByRole('link', { name: say('nav_groups') }).click()
  await page.getByRole('link', { name: new RegExp(old.name) }).click()
  await page.getByRole('button', { name: say('groups_dissolve') }).click()
  await page.getByRole('dialog').getByLabel(say('ladder_reason')).fill('They go separate ways')
  await page.getByRole('dialog').getByRole('button', { name: say('groups_dissolve') }).click()
  await expect(page.getByText('They go separate ways')).toBeVisible()
  await until('the end of the group', async () => (await amina.all<Group>('group')).find(({ id }) => id === old.id)?.state === 'dissolved')

  await phone.goto(`/households/${alone.household}`)
  await page.getByRole('link', { name: new RegExp(say('groups_form')) }).click()
  await expect(page.getByRole('checkbox', { name: new RegExp(`^${named(alone.household)}`) })).toBeChecked()
  await phone.browser.setOffline(true)
  const other = old.members[0]!.household
  await fillGroup(page, 'Pambazuko', [named(other)])
  // What was typed outlives the page.
  await page.waitForTimeout(300)
  await page.reload()
  await phone.unlock()
  await expect(page.getByLabel(say('groups_name'))).toHaveValue('Pambazuko')
  await page.screenshot({ path: shots('form'), fullPage: true })
  await page.getByRole('button', { name: say('groups_form'), exact: true }).click()
  await expect(page.getByRole('heading', { level: 1, name: 'Pambazuko' })).toBeVisible()

  await page.getByRole('link', { name: say('survey_new') }).click()
  await fillSurvey(page)
  await page.getByRole('button', { name: say('survey_save') }).click()
  await expect(page.getByRole('alert').getByText(say('survey_fault_photo'))).toBeVisible()
  await photographBusiness(page)
  await page.screenshot({ path: shots('survey'), fullPage: true })
  await page.getByRole('button', { name: say('survey_save') }).click()
  await expect(page.getByRole('heading', { name: `${say('groups_health')}: ${say('groups_health_green')}` })).toBeVisible()
  await page.screenshot({ path: shots('group'), fullPage: true })

  // One step by hand, without a network too.
  await climb(phone, alone.id, 8, 'Akiba Yetu')
  const six = page.getByRole('listitem').filter({ hasText: step(6) })
  await expect(six.getByText(say('ladder_state_not_started'))).toBeVisible()
  expect(await amina.all<Group>('group')).not.toContainEqual(expect.objectContaining({ name: 'Pambazuko' }))

  await phone.browser.setOffline(false)
  await until('the group', async () => (await amina.all<Group>('group')).find(({ name }) => name === 'Pambazuko')?.health === 'green')
  await until('the picture of the place', async () => (await amina.evidence()).some((one) => one.slot === 'site' && one.state === 'ready'))
  expect(await rung(2)).toMatchObject({ state: 'completed', cause: 'group' })
  expect(await rung(6)).toMatchObject({ state: 'completed', cause: 'survey' })
  expect(await rung(8)).toMatchObject({ state: 'completed', cause: null, reason: 'Akiba Yetu' })
  await expect(six.getByText(say('ladder_state_completed'))).toBeVisible()
  await expect(six.getByText(say('ladder_cause_survey'))).toBeVisible()
  await expect(page.getByText(say('ladder_height', { done: 3, count: 12 }), { exact: true })).toBeVisible()
  await page.screenshot({ path: shots('ladder'), fullPage: true })

  // The supervisor sees who is stuck, mentor by mentor, and may skip a step.
  const desk = await device(DESKTOP)
  await desk.signIn('grace.supervisor')
  await desk.goto('/ladder')
  await desk.page.screenshot({ path: shots('caseload'), fullPage: true })
  await desk.page.getByRole('searchbox').fill(named(alone.household))
  await desk.page.getByRole('link', { name: new RegExp(named(alone.household)) }).click()
  await desk.page.getByRole('button', { name: new RegExp(`: ${milestones[2]!.name.en}$`) }).click()
  await choose(desk.page.getByRole('dialog'), say('ladder_by_hand'), say('ladder_move_skip'))
  await desk.page.getByRole('dialog').getByLabel(say('ladder_reason')).fill('The plan is the neighbour’s')
  await desk.page.getByRole('dialog').getByRole('button', { name: say('ladder_move_skip'), exact: true }).last().click()
  await until('the step that is skipped', async () => (await rung(3)).state === 'skipped')
  expect([...phone.errors, ...desk.errors]).toEqual([])
})

function shots(name: string): string {
  const folder = join(RESULTS, 'screens', 'ladder')
  mkdirSync(folder, { recursive: true })
  return join(folder, `${name}.png`)
}
