// Two change the same thing while one has no network: both values are kept, the mentor sees that it is in question, and the
// supervisor settles it by one tap.
import { signIn } from '../harness/api'
import { axe } from '../harness/axe'
import { type Device, PHONE, TABLET } from '../harness/phone'
import { expect, test } from '../harness/story'
import { begins, say } from '../harness/words'

async function write(phone: Device, household: string, notes: string): Promise<void> {
  await phone.goto(`/households/${household}/edit`)
  await phone.page.getByLabel(begins('field_notes')).fill(notes)
  await phone.page.getByRole('button', { name: say('household_save_changes') }).click()
  await expect(phone.page.getByText(say('saved_on_phone')).first()).toBeVisible()
}

test('both values with who and when; one tap settles it on every device', async ({ server, device }) => {
  test.setTimeout(180_000)
  const amina = await signIn(server.url, 'amina.mentor')
  const [home] = (await amina.households()).filter(({ number }) => number !== null)
  const notes = async () => (await amina.get<{ notes: string | null }>(`/api/households/${home!.id}`)).notes
  const [away, near, desk] = [await device(PHONE), await device(PHONE), await device(TABLET)]
  await away.signIn('amina.mentor')
  await expect(away.page.getByText(say('sync_done'))).toBeVisible()
  await near.signIn('amina.mentor')
  await desk.signIn('grace.supervisor')

  await away.browser.setOffline(true)
  await write(away, home!.id, 'The goats were sold')
  await write(near, home!.id, 'Three goats in the new pen')
  await expect.poll(notes).toBe('Three goats in the new pen')
  await away.browser.setOffline(false)
  await away.goto(`/households/${home!.id}`)

  // The mentor: the value of the server stays, the other is not lost, and it is not hers to choose.
  const mine = away.page.getByText(say('conflict_title', { count: 1 }))
  await expect(mine).toBeVisible()
  await expect(away.page.getByText(say('conflict_text'))).toBeVisible()
  await expect(away.page.getByText(/The goats were sold/).first()).toBeVisible()
  await expect(away.page.getByRole('button', { name: say('conflict_keep') })).toHaveCount(0)
  expect(await notes()).toBe('Three goats in the new pen')

  await desk.goto(`/households/${home!.id}`)
  const card = desk.page.getByRole('group', { name: say('field_notes') })
  await expect(card).toBeVisible()
  for (const value of ['The goats were sold', 'Three goats in the new pen']) {
    const one = card.locator('.value', { hasText: value })
    await expect(one).toContainText('Amina')
    await expect(one).toContainText(say('conflict_on_phone', { phone: '' }).trim())
  }
  expect(await axe(desk.page)).toEqual([])
  await card.getByRole('button', { name: `${say('conflict_keep')}: The goats were sold` }).click()
  await expect(card).toHaveCount(0)
  await expect.poll(notes).toBe('The goats were sold')
  for (const phone of [away, near]) {
    await phone.goto(`/households/${home!.id}`)
    await expect(phone.page.getByText('The goats were sold').first()).toBeVisible()
    await expect(phone.page.getByText(say('conflict_title', { count: 1 }))).toHaveCount(0)
  }
  expect([...away.errors, ...near.errors, ...desk.errors]).toEqual([])
})
