// A visit that changes while its supervisor reads it, or while a decision waits for a network, is looked at again before it counts.
import { type Api, signIn, type Visit } from '../harness/api'
import { axe } from '../harness/axe'
import { TABLET } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

interface Whole extends Visit {
  kind: string
  topics: string[]
  started_at: number
}

/** Returned by somebody else who decides, and handed in again by its mentor with other words. */
async function changes(decider: Api, mentor: Api, id: string, observations: string): Promise<void> {
  const { revision } = await mentor.get<Whole>(`/api/visits/${id}`)
  await decider.command('visit.return', { id, revision, note: 'What did they sell?' })
  const { household, kind, started_at, topics, no_gps_reason } = await mentor.get<Whole>(`/api/visits/${id}`)
  const body = { id, household, kind, started_at, topics, observations, no_gps_reason: no_gps_reason ?? 'no_fix', evidence: [] }
  await mentor.command('visit.submit', body)
}

test('asked again on the screen, and after a decision that was made without a network', async ({ server, device }) => {
  test.setTimeout(180_000)
  const [amina, grace] = [await signIn(server.url, 'amina.mentor'), await signIn(server.url, 'grace.supervisor')]
  const now = async () => (await amina.visits()).find(({ id }) => id === visit.id)!
  const visit = (await amina.visits()).find(({ state }) => state === 'submitted')!
  const desk = await device(TABLET)
  const { page } = desk
  await desk.signIn('grace.supervisor')
  await desk.goto(`/queue/${visit.id}`)
  const approve = page.getByRole('button', { name: say('decide_approve'), exact: true })
  await expect(approve).toBeEnabled()

  // It changes under her eyes.
  await changes(grace, amina, visit.id, 'They sold eggs')
  await expect(page.getByText(say('changed_title'))).toBeVisible()
  await expect(page.getByText('They sold eggs').first()).toBeVisible()
  await expect(approve).toBeDisabled()
  await expect(page.getByRole('button', { name: say('decide_return'), exact: true })).toBeDisabled()
  expect(await axe(page)).toEqual([])
  await page.getByRole('button', { name: say('changed_looked') }).click()
  await expect(page.getByText(say('changed_title'))).toHaveCount(0)
  await expect(approve).toBeEnabled()

  // It changes while her decision waits for a network: what she approved is no more what is there.
  await desk.browser.setOffline(true)
  await approve.click()
  await page.getByRole('dialog').getByRole('button', { name: say('look_approve') }).click()
  await expect.poll(() => desk.all('outbox')).toHaveLength(1)
  await changes(grace, amina, visit.id, 'They sold eggs and milk')
  await desk.browser.setOffline(false)
  await expect.poll(() => desk.all('attention'), { timeout: 30_000 }).toHaveLength(1)
  expect((await now()).state).toBe('submitted')
  await desk.goto(`/queue/${visit.id}`)
  await expect(page.getByText(say('refused_title'))).toBeVisible()
  await expect(page.getByText(say('error_stale'))).toBeVisible()
  await expect(page.getByText('They sold eggs and milk').first()).toBeVisible()
  await approve.click()
  await page.getByRole('dialog').getByRole('button', { name: say('look_approve') }).click()
  await until('the approval', async () => (await now()).state === 'approved')
  await expect.poll(() => desk.all('attention')).toEqual([])
  expect(desk.errors).toEqual([])
})
