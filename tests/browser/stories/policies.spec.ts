// An administrator adds a grant policy, changes it without code, counts an example beside it, and sees its next version.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { signIn, uuid7 } from '../harness/api'
import { RESULTS } from '../harness/paths'
import { DESKTOP, unlock } from '../harness/phone'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

interface Policy {
  id: string
  key: string
  version: number
  base_minor: number
  tranches: number[]
  questions: { key: string }[]
  factors: { key: string; input: string; bands: { by: number; one_of: string[] }[] }[]
}

test('a policy is added, tried out and changed without code', async ({ server, device }) => {
  const admin = await signIn(server.url, 'admin.demo')
  const programme = uuid7()
  const facts = { code: 'FY27', name: 'Graduation 2027', kind: 'graduation', category: 'graduation', status: 'open', instrument: 'weighted', version: 1, places: [], budget_minor: 250_000_000 }
  expect((await admin.request('PUT', `/api/programmes/${programme}`, { programme: facts })).status).toBe(200)
  const find = async () => (await admin.all<Policy & { programme: string }>('policy')).find((one) => one.programme === programme)

  const desk = await device(DESKTOP)
  const { page } = desk
  await desk.signIn('admin.demo')
  await desk.goto(`/admin/programmes/${programme}/policies`)
  await expect(page.getByText('KES 2,500,000').first()).toBeVisible()
  await page.getByRole('button', { name: say('policies_add') }).click()
  await page.getByRole('link', { name: /^Seed grant/ }).click()

  // The example, as it ships: 15,000 for a pair that grows crops in a village, with all of the training.
  const tried = page.getByRole('region', { name: say('policy_try') })
  await tried.getByLabel('Where it is').selectOption({ label: 'Rural' })
  await tried.getByLabel('Training completed').fill('95')
  for (const by of ['×0.90', '×1.15', '×1.05', '×1.10']) await expect(tried.getByText(by, { exact: true })).toBeVisible()
  await expect(tried.getByText('KES 17,931', { exact: true })).toBeVisible()
  await page.screenshot({ path: shots('new'), fullPage: true })
  await page.getByRole('button', { name: say('policy_save_new') }).click()
  await expect(page.getByText(new RegExp(`SB · ${say('policy_version', { version: 1 })}`))).toBeVisible()
  expect(await find()).toMatchObject({ key: 'SB', version: 1, base_minor: 1_500_000 })

  // Changed: more money, two parts, and a question of the organisation's own with a factor that looks at it.
  await page.getByRole('link', { name: /^Seed grant/ }).click()
  await page.getByLabel(say('policy_base')).fill('20,000')
  await expect(tried.getByText(say('policy_try_most'))).toBeHidden()
  await page.getByRole('button', { name: say('policy_part_add') }).click()
  await page.getByRole('textbox', { name: say('policy_part', { n: 2 }) }).fill('50')
  await page.getByRole('button', { name: say('policy_save', { version: 2 }) }).click()
  await expect(page.getByRole('alert').getByText(say('policy_fault_parts', { sum: 150 }))).toBeVisible()
  await page.screenshot({ path: shots('fault'), fullPage: true })
  await page.getByRole('textbox', { name: say('policy_part', { n: 1 }) }).fill('50')
  await page.getByRole('button', { name: say('policy_question_add') }).click()
  const question = page.getByRole('region', { name: say('policy_questions') })
  await question.getByLabel(say('policy_in_english', { label: say('policy_question') })).last().fill('Market near')
  await question.getByLabel(say('policy_in_swahili', { label: say('policy_question') })).last().fill('Soko karibu')
  for (const [n, en, sw] of [[1, 'Yes', 'Ndiyo'], [2, 'No', 'Hapana']] as const) {
    await question.getByLabel(say('policy_in_english', { label: say('policy_option', { n }) })).last().fill(en)
    await question.getByLabel(say('policy_in_swahili', { label: say('policy_option', { n }) })).last().fill(sw)
  }
  await page.getByRole('button', { name: say('policy_factor_add') }).click()
  const factor = page.getByRole('region', { name: say('policy_factors') })
  await factor.getByLabel(say('policy_in_english', { label: say('policy_factor') })).last().fill('Market')
  await factor.getByLabel(say('policy_in_swahili', { label: say('policy_factor') })).last().fill('Soko')
  await factor.getByLabel(say('policy_input')).last().selectOption({ label: 'Market near' })
  await factor.getByRole('group', { name: say('policy_one_of') }).last().getByLabel('No', { exact: true }).click()
  // The last one is for all other answers.
  await factor.getByLabel(say('policy_by')).nth(-2).fill('1.50')
  await tried.getByLabel('Market near').selectOption({ label: 'No' })
  await expect(tried.getByText('×1.50', { exact: true })).toBeVisible()
  await expect(tried.getByText(say('policy_try_most'))).toBeVisible()
  await page.screenshot({ path: shots('changed'), fullPage: true })

  // What is typed outlives the page.
  await page.reload()
  await unlock(page)
  await expect(page.getByLabel(say('policy_base'))).toHaveValue('20,000')
  await page.getByRole('button', { name: say('policy_save', { version: 2 }) }).click()
  await expect(page.getByText(new RegExp(`SB · ${say('policy_version', { version: 2 })}`))).toBeVisible()
  await page.screenshot({ path: shots('list'), fullPage: true })
  const saved = (await find())!
  expect(saved).toMatchObject({ version: 2, base_minor: 2_000_000, tranches: [50, 50] })
  expect(saved.questions.map(({ key }) => key)).toEqual(['business', 'setting', 'training', 'market_near'])
  expect(saved.factors[4]).toMatchObject({ key: 'market', input: 'market_near', bands: [{ by: 15_000, one_of: ['no'] }] })
  expect(desk.errors).toEqual([])
})

function shots(name: string): string {
  const folder = join(RESULTS, 'screens', 'policies')
  mkdirSync(folder, { recursive: true })
  return join(folder, `${name}.png`)
}
