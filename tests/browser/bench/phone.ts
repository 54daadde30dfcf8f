// `make bench`, the phone's part: a caseload of 10,000 records in a real Chromium at a sixth of this machine's speed.
import { execFileSync } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { join } from 'node:path'
import type { CDPSession } from '@playwright/test'
import { choose } from '../harness/form'
import { type Device, PHONE, PIN } from '../harness/phone'
import { REPOSITORY } from '../harness/paths'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'
import { probe } from './probe'

const RUNS = 5
const SLOWER = Number(process.env.KILELE_BENCH_SLOWER ?? 6)
const BENCH = process.env.KILELE_BENCH_BINARY ?? join(process.env.CARGO_TARGET_DIR ?? join(REPOSITORY, 'target'), 'release/kilele-bench')

test('a phone with ten thousand records', async ({ server, device }) => {
  test.setTimeout(0)
  // Figures of a machine that does other things at the same time say little: so it is said.
  console.log(`load of this machine: ${loadavg()[0]!.toFixed(1)} on ${cpus().length} processors`)
  console.log(execFileSync(BENCH, ['caseload', server.url], { encoding: 'utf8' }).trim())
  const phone = await device(PHONE)
  phone.prepare = async (browser) => void (await browser.addInitScript(probe))
  await phone.prepare(phone.browser)
  await phone.signIn('wanjiku.mentor')
  await expect.poll(async () => (await phone.keys('records')).length, { timeout: 600_000 }).toBeGreaterThan(10_000)
  await expect(phone.page.getByText(say('sync_done'))).toBeVisible({ timeout: 600_000 })
  const records = (await phone.keys('records')).length

  const starts: number[] = []
  for (let run = 0; run < RUNS; run++) starts.push(await start(phone))
  row(`repeat start, ${records} records`, `${Math.round(median(starts))} ms`, '≤ 1,000 ms', starts)

  await server.down()
  const cold: number[] = []
  const inside: number[] = []
  for (let run = 0; run < RUNS; run++) {
    await phone.quit()
    await phone.launch()
    const [door, list] = await coldStart(phone, SLOWER)
    cold.push(door!)
    inside.push(list!)
  }
  // The person's own six digits lie between the two.
  row('offline cold start, worker cold, server down, to the PIN', `${Math.round(median(cold))} ms`, '≤ 1,300 ms', cold)
  row('from the sixth digit to the list', `${Math.round(median(inside))} ms`, '', inside)
  const unlocked: number[] = []
  for (let run = 0; run < RUNS; run++) {
    await phone.quit()
    await phone.launch()
    unlocked.push((await coldStart(phone, 1))[1]!)
  }
  row('unlock with the PIN, to the list', `${Math.round(median(unlocked))} ms`, '≤ 1,000 ms', unlocked, 1)
  await server.up()

  await searching(phone)
  await scrolling(phone)
  await writing(phone)
  expect(phone.errors).toEqual([])
})

/** A page of its own, asked for and usable. */
async function start(phone: Device): Promise<number> {
  const old = phone.page
  await phone.newPage()
  await old.close()
  const slow = await throttled(phone)
  // Not `phone.goto`: what it looks at while it waits would run in the page, six times as slow.
  await phone.page.goto(`${phone.url}/`, { waitUntil: 'commit' })
  const usable = await phone.page.evaluate(() => window.probe.painted(() => window.probe.usable !== null).then(() => window.probe.usable!))
  await slow.detach()
  return usable
}

/** The browser itself was closed: the time to the door, and from the sixth digit to a list that can be touched. */
async function coldStart(phone: Device, rate: number): Promise<number[]> {
  const { page } = phone
  const slow = await throttled(phone, rate)
  await page.goto(`${phone.url}/`, { waitUntil: 'commit' })
  const door = await page.evaluate(() => window.probe.painted(() => document.querySelector('input#pin') !== null))
  const list = await page.evaluate((pin) => {
    const input = document.querySelector<HTMLInputElement>('input#pin')!
    const begun = performance.now()
    input.value = pin
    input.dispatchEvent(new InputEvent('input', { bubbles: true }))
    return window.probe.painted(() => document.querySelector('main [role=listitem] a[href]') !== null).then((at) => at - begun)
  }, PIN)
  await slow.detach()
  return [door, list]
}

async function throttled(phone: Device, rate = SLOWER): Promise<CDPSession> {
  const inspector = await phone.browser.newCDPSession(phone.page)
  await inspector.send('Emulation.setCPUThrottlingRate', { rate })
  return inspector
}

async function searching(phone: Device): Promise<void> {
  const { page } = phone
  await phone.goto('/households')
  const field = page.getByRole('searchbox', { name: say('households_search') })
  await expect(page.locator('main [role=listitem] a').first()).toBeVisible()
  const slow = await throttled(phone)
  // By touch: after a mouse the browser asks at each layout what lies under it, which no phone does.
  await field.tap()
  await page.evaluate(() => window.probe.reset())
  for (const text of ['wekesa', 'achieng', '0712', 'baraka', 'mwangaza k', '2345', 'rehema sim', 'hh-0001']) {
    for (const key of text) {
      // A key that changes nothing of what is found has no paint to wait for.
      const shown = page.evaluate(() => window.probe.search(1_500))
      await page.keyboard.press(key === ' ' ? 'Space' : key)
      await shown
      await page.waitForTimeout(60)
    }
    await field.fill('')
    await page.waitForTimeout(300)
  }
  const found = await page.evaluate(() => window.probe.searches)
  row('search while typing, p95', `${Math.round(percentile(found, 0.95) ?? NaN)} ms of ${found.length}`, '≤ 100 ms', found)
  // Fewer say little: most keys change what is found.
  expect.soft(found.length).toBeGreaterThan(20)
  await slow.detach()
}

/** Through the whole list, as far as it goes. */
async function scrolling(phone: Device): Promise<void> {
  const { page } = phone
  const longest: number[] = []
  let rows = 0
  for (let run = 0; run < RUNS; run++) {
    await phone.goto('/households')
    await expect(page.locator('main [role=listitem] a').first()).toBeVisible()
    await page.waitForTimeout(1_500)
    const slow = await throttled(phone)
    await page.evaluate(() => window.probe.reset())
    for (let screens = 0; screens < 60; screens++) {
      await slow.send('Input.synthesizeScrollGesture', { x: 180, y: 500, yDistance: -1_400, speed: 4_000, gestureSourceType: 'touch' })
      const more = page.getByRole('button', { name: say('show_more') })
      if (await more.isVisible()) await more.tap()
      if (await page.evaluate(() => innerHeight + scrollY >= document.documentElement.scrollHeight - 4)) break
    }
    longest.push(await page.evaluate(() => window.probe.longest))
    rows = await page.locator('main [role=listitem]').count()
    await slow.detach()
  }
  row(`scrolling the list (${rows} rows at its end), longest task`, `${Math.round(median(longest))} ms`, '≤ 100 ms', longest)
}

async function writing(phone: Device): Promise<void> {
  const { page } = phone
  const [opened, keys, kept]: number[][] = [[], [], []]
  for (let run = 0; run < RUNS; run++) {
    await phone.goto('/households')
    await page.locator('main [role=listitem] a').nth(3 + run).click()
    const begin = page.getByRole('link', { name: say('today_new_visit') })
    await expect(begin).toBeVisible()
    await page.waitForTimeout(800)
    const slow = await throttled(phone)
    const opening = page.evaluate(() => new Promise<number>((done) => {
      addEventListener('click', () => {
        const touched = performance.now()
        void window.probe.painted(() => document.querySelector('textarea') !== null).then((at) => done(at - touched))
      }, { capture: true, once: true })
    }))
    await begin.click()
    opened!.push(await opening)
    await choose(page, say('field_topics'), say('topic_business'))
    const field = page.getByLabel(say('field_observations'))
    await field.click()
    await page.evaluate(() => window.probe.reset())
    await page.keyboard.type('Kuku sita wameanguliwa; banda ni kavu na mahindi yamekomaa vizuri.', { delay: 70 })
    // The form writes a moment after the last key; what that transaction holds is everything typed before it began.
    const durable = await page.evaluate(async () => {
      const { probe } = window
      const after = () => probe.drafts.find(({ begun }) => begun >= probe.typed)
      await probe.painted(() => after() !== undefined)
      return after()!.kept - probe.typed
    })
    kept!.push(durable)
    keys!.push(Math.max(...(await page.evaluate(() => window.probe.keys)), 0))
    await slow.detach()
    await page.getByRole('button', { name: say('discard') }).first().click()
    await page.getByRole('button', { name: say('discard_yes') }).click()
    await expect(page).not.toHaveURL(/edit/)
  }
  row('opening the visit form', `${Math.round(median(opened!))} ms`, '≤ 500 ms', opened!)
  row('worst key-to-paint in the visit form', `${Math.round(median(keys!))} ms`, '≤ 200 ms', keys!)
  row('draft durable after the last key', `${Math.round(median(kept!))} ms`, '≤ 150 ms', kept!)
}

const sorted = (values: number[]) => [...values].sort((a, b) => a - b)
const median = (values: number[]) => sorted(values)[Math.floor(values.length / 2)]!
const percentile = (values: number[], share: number) => sorted(values)[Math.min(values.length - 1, Math.floor(values.length * share))]!

/** One line of the table that `make bench` prints. */
function row(what: string, measured: string, budget: string, runs: number[], slower = SLOWER): void {
  console.log(`${`${what}, ${slower === 1 ? 'full speed' : `${slower}× slower`}`.padEnd(72)} ${measured.padStart(22)} ${budget.padStart(14)}   ${runs.length <= RUNS ? runs.map(Math.round).join(' ') : ''}`)
}
