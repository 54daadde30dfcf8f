// A photo that looks like an earlier one: whoever reviews reads so, and decides all the same.
import { signIn } from '../harness/api'
import { TABLET } from '../harness/phone'
import { expect, test } from '../harness/story'
import { begins, say } from '../harness/words'

interface Entry {
  id: string
  body?: object
}

test('a hint to the person who decides, and nothing more', async ({ server, device }) => {
  const grace = await signIn(server.url, 'grace.supervisor')
  const visit = (await grace.visits()).find(({ state }) => state === 'submitted')!
  const [first, second] = (await grace.evidence()).filter(({ subject }) => subject === visit.id)
  const elsewhere = (await grace.households()).find(({ id }) => id !== visit.household)!
  const captured_at = Date.UTC(2026, 2, 3, 9)
  // As the server says it, which an API test shows: one photo like a neighbour's, one like this household's own.
  const hints = new Map([
    [first!.id, { evidence: second!.id, household: elsewhere.id, captured_at, bits: 3 }],
    [second!.id, { evidence: first!.id, household: visit.household, captured_at, bits: 0 }],
  ])
  const tablet = await device(TABLET)
  const { page } = tablet
  await page.route('**/api/sync', async (route) => {
    const answer = await route.fetch()
    const pulled = (await answer.json()) as { feeds: Record<string, { entries: Entry[] }> }
    for (const { entries } of Object.values(pulled.feeds))
      for (const { id, body } of entries) if (hints.has(id)) Object.assign(body!, { looks_like: hints.get(id) })
    await route.fulfill({ response: answer, json: pulled })
  })
  await tablet.signIn('grace.supervisor')
  await tablet.goto(`/queue/${visit.id}`)
  const date = (await page.evaluate((at) => new Date(at).getDate(), captured_at)).toString()
  const neighbour = page.getByText(begins('review_looks_like')).filter({ hasText: elsewhere.head_name })
  await expect(neighbour).toContainText(date)
  await expect(page.getByText(begins('review_looks_like_own'))).toContainText(date)
  await expect(page.getByRole('button', { name: say('decide_approve') })).toBeEnabled()
  expect(tablet.errors).toEqual([])
  await page.unrouteAll({ behavior: 'ignoreErrors' })
})
