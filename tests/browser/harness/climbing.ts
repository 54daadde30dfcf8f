// The hands that form a group, look at its business, and move a step of the ladder.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, type Page } from '@playwright/test'
import { choose, takePhoto } from './form'
import { REPOSITORY } from './paths'
import type { Device } from './phone'
import { say } from './words'

export interface Group {
  id: string
  name: string
  place: string
  state: string
  health: string
  members: { household: string; role: string }[]
}
export const { milestones } = JSON.parse(readFileSync(join(REPOSITORY, 'instruments/milestones-1.json'), 'utf8')) as {
  milestones: { number: number; name: { en: string } }[]
}

/** On the form, with whom, what they do, and what they are called. */
export async function fillGroup(page: Page, name: string, others: string[]): Promise<void> {
  for (const other of others) await page.getByRole('checkbox', { name: new RegExp(`^${other}`) }).check()
  await choose(page, say('groups_type'), say('groups_type_retail'))
  await page.getByLabel(say('groups_name')).fill(name)
}

/** What is asked of a business that does well. */
export async function fillSurvey(page: Page): Promise<void> {
  await choose(page, say('survey_operating'), say('yes'))
  await page.getByLabel(say('survey_income')).fill('12,500')
  await page.getByLabel(say('survey_expenses')).fill('8000')
  await choose(page, say('survey_health'), say('groups_health_green'))
}

export async function photographBusiness(page: Page): Promise<void> {
  await takePhoto(page, page.getByRole('link', { name: new RegExp(say('photo_take')) }))
  await expect(page.getByText(say('place_found'))).toBeVisible()
}

/** One step by hand, with the reason why. */
export async function climb(phone: Device, enrolment: string, number: number, why: string): Promise<void> {
  const { page } = phone
  await phone.goto(`/enrolments/${enrolment}/ladder`)
  await page.getByRole('button', { name: new RegExp(`: ${milestones[number - 1]!.name.en}$`) }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel(say(number === 8 ? 'ladder_reason_savings' : 'ladder_reason'), { exact: true }).fill(why)
  await dialog.getByRole('button', { name: say('ladder_move_complete'), exact: true }).last().click()
  await expect(page.getByText(`“${why}”`)).toBeVisible()
}
