// The hands that a grant goes through: a phone prepares and receives it, tablets review and decide it, a desk pays it.
import { expect, type Page } from '@playwright/test'
import { act, choose, insist, sign, takePhoto } from './form'
import type { Device } from './phone'
import { say } from './words'

export interface Grant {
  id: string
  number: string
  household: string | null
  group: string | null
  households: string[]
  policy: { key: string }
  state: string
  amount: { amount_minor: number }
  phone_amount_minor: number | null
  tranches: { id: string; number: number; state: string; reference: string; note: string }[]
  utilisation: { state: string; spent_minor: number } | null
  revision: number
}

export const step = (page: Page, to: string): Promise<void> =>
  page.getByRole('link', { name: say('next_step', { step: say(to) }) }).click()

export async function fillPlan(page: Page): Promise<void> {
  await page.getByLabel(say('grant_description')).fill('A kiosk at the road to the market, with flour, soap and airtime.')
  await page.getByLabel(say('grant_income')).fill('12,400')
  await page.getByLabel(say('grant_expenses')).fill('7600')
  await page.getByLabel(say('grant_startup')).fill('18000')
}

/** The seed grant's questions: trade in a village, with all of the training. */
export async function answerSeed(page: Page): Promise<void> {
  await choose(page, 'Kind of business', 'Retail')
  await choose(page, 'Where it is', 'Rural')
  await page.getByLabel('Training completed').fill('100')
}

/** One row after the other, each bought once. */
export async function fillItems(page: Page, items: [what: string, price: string][]): Promise<void> {
  for (const [at, [what, price]] of items.entries()) {
    if (at) await page.getByRole('button', { name: say('grant_item_add') }).click()
    await page.getByLabel(say('grant_item_what')).last().fill(what)
    await page.getByLabel(say('grant_item_unit')).last().fill(price)
  }
  await expect(page.getByText(say('grant_sum_even'))).toBeVisible()
}

/** One after the other takes the phone and signs under their own name. */
export async function signEach(page: Page, names: string[]): Promise<void> {
  for (const [at, name] of names.entries()) {
    if (at) await page.getByRole('button', { name: say('grant_sign_next', { name }), exact: true }).click()
    await expect(page.locator('blockquote')).toContainText(name)
    await sign(page)
  }
}

export async function handIn(page: Page): Promise<void> {
  await step(page, 'step_review')
  await expect(page.getByText(say('grant_review_ready'))).toBeVisible()
  await page.getByRole('button', { name: say('grant_save') }).click()
  await expect(page.getByText(say('grant_saved_text'))).toBeVisible()
}

/** Opens the file of a grant in the list of what waits for this person. */
export async function lookAt(tablet: Device, show: 'review' | 'decision' | 'release' | 'verification', name: string): Promise<void> {
  await tablet.goto(`/grants/waiting?show=${show}`)
  await tablet.page.getByRole('link', { name: new RegExp(name) }).first().click()
  await expect(tablet.page.locator('#looked-at')).toHaveText(name)
}

/** `seen`: before it is done. */
export async function recommend(page: Page, seen?: () => Promise<unknown>): Promise<void> {
  await act(page, 'grant_do_review')
  await insist(page, 'grant_do_recommend', async (dialog) => {
    await dialog.getByLabel(say('grant_score')).fill('80')
    await seen?.()
  })
}

/** Says that the money has left the account. */
export async function pay(page: Page, reference: string): Promise<void> {
  await insist(page, 'grant_do_release', (dialog) => dialog.getByLabel(say('release_reference')).fill(reference))
}

/** With the recipient's picture, the place and the signature. `seen`: before it is saved. */
export async function receive(page: Page, seen?: () => Promise<unknown>): Promise<void> {
  await takePhoto(page, page.getByRole('link', { name: new RegExp(say('photo_take')) }))
  await expect(page.getByText(say('place_found'))).toBeVisible()
  await sign(page)
  await seen?.()
  await page.getByRole('button', { name: say('receive_save') }).click()
  await expect(page.getByRole('img', { name: say('receipt_code') })).toBeVisible()
}

/** One thing that was bought; the pictures of receipts are for whoever calls. */
export async function fillUse(page: Page, what: string, amount: string, on: string): Promise<void> {
  await page.getByLabel(say('grant_item_what')).fill(what)
  await page.getByLabel(say('grant_amount'), { exact: true }).fill(amount)
  await page.getByLabel(say('grant_use_on')).fill(on)
}

export const photographReceipt = (page: Page, { another = false } = {}): Promise<void> =>
  takePhoto(page, page.getByRole('link', { name: say(another ? 'grant_use_receipt_more' : 'grant_use_receipt_take') }))
