// A mentor at work, who does not give up: registers, corrects, visits; goes on where the phone left off; and writes
// into the ledger only what the screen said.
import { expect, type Locator, type Page } from '@playwright/test'
import { choose, next, photoButton, signByTouch, takePhoto } from '../harness/form'
import type { Device } from '../harness/phone'
import { begins, say } from '../harness/words'
import type { Dice } from './dice'
import type { Ledger, Line, Photo } from './ledger'

/** Called before each step with its name; may do harm now, or answer harm that is to be done while the step runs. */
export type Meddle = (step: string) => Promise<(() => Promise<void>) | null>

export interface Work {
  phone: Device
  ledger: Ledger
  dice: Dice
  meddle: Meddle
  /** Whether anything was done to phone or server since the last call. */
  harmed: () => boolean
  /** Looks after what the phone says was refused: until then it does not show the record among the others. */
  attend: (patience?: number) => Promise<void>
  /** The line seems to be back: the phone tries at once. */
  nudge: () => Promise<void>
  /** Brings a page of the app back on the screen. */
  recover: () => Promise<void>
  log: (text: string) => void
}

const ATTEMPTS = 12

/** Tries until the screen says it is done; a failure without a fault is a failure of the product. */
async function persist(work: Work, name: string, attempt: () => Promise<void>): Promise<void> {
  for (let n = 1; ; n++) {
    try {
      await attempt()
      return
    } catch (error) {
      work.log(`${name}: ${firstLine(error)} at ${await where(work.phone.page)}`)
      if (!work.harmed() || n === ATTEMPTS) throw new Error(`${name} failed at attempt ${n}`, { cause: error })
      await work.recover()
    }
  }
}

/** What is on the screen, for whoever reads the log. */
async function where(page: Page): Promise<string> {
  const heading = await page.getByRole('heading', { level: 1 }).first().textContent({ timeout: 500 }).catch(() => null)
  return `${new URL(page.url()).pathname}: ${heading?.trim() ?? `no heading, ${await stuck(page)}`}`
}

/** Why a page is still empty: what it fetched and when, who is at work in the background. */
async function stuck(page: Page): Promise<string> {
  const asked = page.evaluate(async () => {
    const fetched = performance.getEntriesByType('resource').map(({ name, startTime, duration }) =>
      `${name.split('/').at(-1)} ${Math.round(startTime)}+${Math.round(duration)}`)
    const worker = await navigator.serviceWorker.getRegistration()
    const locks = await navigator.locks.query()
    const scripts = [...document.scripts].map(({ src }) => src.split('/').at(-1))
    return JSON.stringify({
      now: Math.round(performance.now()), ready: document.readyState, fetched, scripts,
      controller: navigator.serviceWorker.controller?.state, waiting: worker?.waiting?.state, active: worker?.active?.state,
      held: locks.held?.map(({ name }) => name), pending: locks.pending?.map(({ name }) => name),
      shells: (await caches.keys()).filter((name) => name.includes('shell')),
    })
  })
  const late = new Promise<string>((done) => setTimeout(() => done('it does not answer'), 3_000))
  return Promise.race([asked.catch(firstLine), late])
}

/** Opens a form on a record; when the phone says why the record is not there, does what it asks for. */
async function open(work: Work, path: string, form: (page: Page) => Locator): Promise<void> {
  const { phone } = work
  for (let n = 1; ; n++) {
    await phone.goto(path)
    const missing = phone.page.getByText(say('missing_title'))
    await expect(form(phone.page).or(missing).first()).toBeVisible()
    if (!(await missing.isVisible()) || n === ATTEMPTS) return void (await expect(form(phone.page)).toBeVisible())
    // Refused, or not fetched again yet on a phone that lost what it had.
    await work.attend(2_000).catch(() => undefined)
    await work.nudge()
  }
}

async function step(work: Work, name: string, doing: () => Promise<void>): Promise<void> {
  const meanwhile = await work.meddle(name)
  if (!meanwhile) return doing()
  const done = doing().then(
    () => null,
    (error: unknown) => error ?? new Error('failed'),
  )
  const struck = meanwhile().then(
    () => null,
    (error: unknown) => error ?? new Error('missed'),
  )
  // Both to their end: a step that ran on beside the next attempt would take that one's page for its own.
  for (const failure of await Promise.all([struck, done])) if (failure) throw failure
}

export async function register(work: Work, mark: string, withPhoto: boolean): Promise<string> {
  const { phone, dice } = work
  const village = dice.between(1, 4)
  let id = ''
  let line: Line | null = null
  await persist(work, `register ${mark}`, async () => {
    const { page } = phone
    if (id && (await isThere(phone, `/households/${id}`, mark))) return
    await step(work, 'open', async () => {
      await phone.goto(id ? `/households/new?draft=${id}` : '/households/new')
      await expect(page).toHaveURL(/draft=[\w-]{36}/)
      id ||= new URL(page.url()).searchParams.get('draft')!
    })
    await step(work, 'type', async () => {
      await page.getByLabel(say('field_head_name')).fill(mark)
      await page.getByLabel(say('field_village')).selectOption({ index: village })
      await page.getByLabel(begins('field_phone')).fill(`07${String(dice.below(1e8)).padStart(8, '0')}`)
    })
    if (withPhoto) {
      await step(work, 'photo', async () => {
        const take = page.getByRole('button', { name: say('photo_take'), exact: true })
        const again = page.getByRole('button', { name: say('photo_retake'), exact: true })
        await expect(take.or(again)).toBeVisible()
        // A photo that was kept before the page died shows a moment after the form.
        if (line?.photos.length) await expect(again).toBeVisible()
        else if (await take.isVisible()) await takePhoto(page, take)
        await expect(again).toBeVisible()
      })
    }
    const photos = withPhoto ? await shown(page, 'front') : []
    line ??= work.ledger.begin('household', id, mark)
    line.photos = photos
    await step(work, 'save', async () => {
      await page.getByRole('button', { name: say('register_save') }).click()
      await saysSaved(page)
    })
    await expect(page).toHaveURL(new RegExp(`/households/${id}$`))
  })
  if (line) (line as Line).state = 'saved'
  return id
}

export async function note(work: Work, id: string, text: string): Promise<void> {
  const { phone, ledger } = work
  const kept = ledger.notes.get(id) ?? { saved: null, arrived: false, maybe: [] }
  ledger.notes.set(id, kept)
  // Saved already or not: the same words again change nothing.
  await persist(work, `note on ${id}`, async () => {
    const { page } = phone
    await step(work, 'open', async () => {
      await open(work, `/households/${id}/edit`, (page) => page.getByLabel(begins('field_notes')))
    })
    await step(work, 'type', () => page.getByLabel(begins('field_notes')).fill(text))
    kept.maybe.push(text)
    await step(work, 'save', async () => {
      await page.getByRole('button', { name: say('household_save_changes') }).click()
      await saysSaved(page)
    })
  })
  Object.assign(kept, { saved: text, arrived: false, maybe: [] })
}

export async function visit(work: Work, household: string, mark: string): Promise<string> {
  const { phone } = work
  let id = ''
  let line: Line | null = null
  await persist(work, `visit ${mark}`, async () => {
    const { page } = phone
    if (line && (await isThere(phone, `/visits/${id}`, mark))) return
    await step(work, 'open', async () => {
      const path = id ? `/visits/${id}/edit?household=${household}&step=details` : `/visits/new?household=${household}`
      await open(work, path, (page) => page.getByLabel(say('field_observations')))
      id ||= /\/visits\/([\w-]{36})/.exec(page.url())![1]!
    })
    await step(work, 'type', async () => {
      const topic = page.getByRole('checkbox', { name: say('topic_business') })
      if (!(await topic.isChecked())) await choose(page, say('field_topics'), say('topic_business'))
      await page.getByLabel(say('field_observations')).fill(mark)
    })
    await next(page, 'photos')
    for (const slot of ['front', 'back'] as const) {
      await step(work, `photo ${slot}`, async () => {
        const take = photoButton(page, slot)
        const again = photoButton(page, slot, true)
        await expect(take.or(again)).toBeVisible()
        if (await take.isVisible()) await takePhoto(page, take)
        await expect(again).toBeVisible()
      })
    }
    await step(work, 'place', async () => {
      await next(page, 'place')
      await expect(page.getByText(say('place_found'))).toBeVisible()
    })
    await step(work, 'sign', async () => {
      await next(page, 'signature')
      const done = page.getByRole('status').filter({ hasText: say('signature_done') })
      const confirm = page.getByRole('button', { name: say('signature_confirm') })
      await expect(done.or(confirm)).toBeVisible()
      if (await done.isVisible()) return
      await signByTouch(page)
      await confirm.click()
      await expect(done).toBeVisible()
    })
    await next(page, 'review')
    await expect(page.getByText(say('review_ready'))).toBeVisible()
    const photos = [...(await shown(page, 'front')), ...(await shown(page, 'back'))]
    line ??= work.ledger.begin('visit', id, mark)
    line.photos = photos
    await step(work, 'save', async () => {
      await page.getByRole('button', { name: say('visit_save') }).click()
      await saysSaved(page)
    })
  })
  if (line) (line as Line).state = 'saved'
  return id
}

const saysSaved = (page: Page) => expect(page.getByText(say('saved_on_phone')).first()).toBeVisible()

/** After a fault in the middle of saving: does the phone show the record, or nothing of it? */
async function isThere(phone: Device, path: string, text: string): Promise<boolean> {
  await phone.goto(path)
  const { page } = phone
  const record = page.getByText(text).first()
  const missing = page.getByText(say('missing_title'))
  await expect(record.or(missing).first()).toBeVisible()
  return record.isVisible()
}

/** The hash of the very bytes that the screen shows for a slot. */
async function shown(page: Page, slot: string): Promise<Photo[]> {
  const label = say(`slot_${slot}`)
  const picture = page.url().includes('/visits/')
    ? page.locator('figure', { hasText: label }).locator('img[src^="blob:"]')
    : page.locator('.avatar img[src^="blob:"]')
  let sha256 = ''
  // The address of a picture ends when it is drawn anew; the next one has the same bytes.
  await expect(async () => {
    await expect(picture).toHaveCount(1)
    sha256 = await picture.evaluate(async (image: HTMLImageElement) => {
      const bytes = await (await fetch(image.src)).arrayBuffer()
      const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
      return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    })
  }).toPass({ timeout: 10_000 })
  return [{ slot, sha256 }]
}

export const firstLine = (error: unknown): string => String(error).split('\n')[0]!.slice(0, 160)
