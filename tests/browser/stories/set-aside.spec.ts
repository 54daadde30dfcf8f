// A photo that the server set aside: the mentor reads why, and takes it again from there.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { signIn } from '../harness/api'
import { photoButton, showing, usePhoto } from '../harness/form'
import { RESULTS } from '../harness/paths'
import { PHONE } from '../harness/phone'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

interface Entry {
  id: string
  body?: object
}

test('the reason in plain words, and the way to a new photo', async ({ server, device }) => {
  const amina = await signIn(server.url, 'amina.mentor')
  const visit = (await amina.visits()).find(({ state }) => state === 'returned')!
  const bad = (await amina.evidence()).find(({ subject, slot }) => subject === visit.id && slot === 'back')!
  const phone = await device(PHONE)
  const { page } = phone
  // The server's word, as it would come for a file that cannot be read: in every answer, for a first sync has several.
  await page.route('**/api/sync', async (route) => {
    const answer = await route.fetch()
    const pulled = (await answer.json()) as { feeds: Record<string, { entries: Entry[] }> }
    for (const { entries } of Object.values(pulled.feeds))
      for (const { id, body } of entries) if (id === bad.id) Object.assign(body!, { state: 'quarantined', reason: 'truncated' })
    await route.fulfill({ response: answer, json: pulled })
  })
  await phone.signIn('amina.mentor')
  await phone.goto(`/visits/${visit.id}`)
  await expect(page.getByText(say('set_aside_truncated'))).toBeVisible()
  const again = page.getByRole('link', { name: `${say('set_aside_again')}: ${say('slot_back')}` })
  await again.scrollIntoViewIfNeeded()
  await page.screenshot({ path: shots('set-aside'), fullPage: true })

  await again.click()
  await expect(page).toHaveURL(/edit\?step=photos/)
  await expect(page.getByText(say('set_aside_truncated'))).toBeVisible()
  await page.screenshot({ path: shots('set-aside-form'), fullPage: true })
  await photoButton(page, 'back').click()
  const camera = page.getByRole('dialog')
  await showing(camera.locator('video'))
  await camera.getByRole('button', { name: say('camera_shutter') }).click()
  await usePhoto(camera)
  const [taken] = await phone.all<{ slot: string; supersedes: string | null }>('captures')
  expect(taken).toMatchObject({ slot: 'back', supersedes: bad.id })
  await expect(page.getByText(say('set_aside_truncated'))).toBeHidden()
  expect(phone.errors).toEqual([])
  await page.unrouteAll({ behavior: 'ignoreErrors' })
})

function shots(name: string): string {
  const folder = join(RESULTS, 'screens', 'mentor')
  mkdirSync(folder, { recursive: true })
  return join(folder, `${name}-phone-light-en.png`)
}
