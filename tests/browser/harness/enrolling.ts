// The hands that bring a household into a programme: consent and assessment on a phone, the look at the home on a tablet.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, type Page } from '@playwright/test'
import { act, choose, sign, takePhoto } from './form'
import { REPOSITORY } from './paths'
import type { Device } from './phone'
import { begins, say } from './words'

export interface Enrolment {
  id: string
  household: string
  place: string
  programme: string
  state: string
  mentor: string
  position: { lat: number } | null
  milestones: { number: number; state: string; cause: string | null; reason: string }[]
}

export const { questions } = JSON.parse(readFileSync(join(REPOSITORY, 'instruments/weighted-1.json'), 'utf8')) as {
  questions: { key: string; kind: string; label: { en: string } }[]
}
const answers: Record<string, number> = { ppi: 18, income: 2400, head_age: 66, dependents: 6, adults: 2, market_km: 12, household_size: 7, under_fives: 2 }
const no = ['electricity', 'clean_water', 'head_schooled']

/** On the household's page, by the hand of its head. */
export async function consent(page: Page): Promise<void> {
  await page.getByRole('link', { name: say('consent_ask') }).click()
  await sign(page)
  await page.getByRole('button', { name: say('consent_save') }).click()
  await expect(page.getByText(begins('consent_given'))).toBeVisible()
}

/** Answers every question as a household does that is poor enough, and has it counted. */
export async function answer(page: Page): Promise<void> {
  for (const { key, kind, label } of questions) {
    if (kind === 'whole') await page.getByLabel(new RegExp(`^${label.en}`)).fill(String(answers[key]))
    else if (kind === 'flag') await choose(page, label.en, say(no.includes(key) ? 'no' : 'yes'))
  }
  await choose(page, say('assess_consent'), say('yes'))
  await page.getByRole('button', { name: say('assess_count') }).click()
  await expect(page.locator('#result').getByText(say('verdict_qualified'), { exact: true })).toBeVisible()
}

/** From the list of what waits to the file of this one. */
export async function openApplication(tablet: Device, name: string): Promise<void> {
  await tablet.page.locator('.tabs label', { hasText: say('queue_enrolments') }).click()
  await tablet.page.getByRole('link', { name: new RegExp(name) }).click()
}

/** Screened, seen at the home with a photo and where it is, approved. `seen`: between the photo and its being sent. */
export async function approve(page: Page, seen?: () => Promise<unknown>): Promise<void> {
  for (const move of ['screen', 'send_to_verify']) await act(page, `move_${move}`)
  await page.getByRole('button', { name: say('move_verify'), exact: true }).click()
  await takePhoto(page, page.getByRole('link', { name: new RegExp(say('photo_take')) }))
  await expect(page.getByText(say('place_found'))).toBeVisible()
  await seen?.()
  await page.getByRole('button', { name: say('move_verify'), exact: true }).click()
  await act(page, 'move_approve')
}
