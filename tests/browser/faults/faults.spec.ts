// "Saved on this phone" is a promise: whatever happens after it, it is on the server once and whole, or the phone
// says why not. A mentor works; faults strike at random; after each batch everything heals and is compared.
//   KILELE_FAULTS        how many faults (200)
//   KILELE_FAULT_SECONDS no new batch after so many seconds (none)
//   KILELE_TEST_SEED     repeats a run
import { PHONE } from '../harness/phone'
import { expect, test } from '../harness/story'
import { Dice } from './dice'
import { losses } from './losses'
import { note, register, visit, type Work } from './mentor'
import { STRIKES } from './strikes'
import { Weather } from './weather'
import { World } from './world'

const SEED = process.env.KILELE_TEST_SEED ?? '20261120'
const FAULTS = Number(process.env.KILELE_FAULTS ?? 200)
const SECONDS = Number(process.env.KILELE_FAULT_SECONDS ?? 0)
/** Begins in the middle, to look at one batch again. */
const FROM = Number(process.env.KILELE_FAULT_BATCH ?? 0)

test('nothing that was called saved is lost or doubled', async ({ server, device }) => {
  test.setTimeout(0)
  const weather = await Weather.over(server.port)
  const phone = await device({ ...PHONE, bypassCSP: true }, weather.url)
  const begun = Date.now()
  const seconds = () => Math.round((Date.now() - begun) / 1000)
  const lines: string[] = []
  const world = new World(phone, weather, server, (text) => {
    lines.push(`${seconds()} s ${text}`)
    if (process.env.KILELE_FAULT_TALK) console.log(lines.at(-1))
  })
  const watch = setInterval(() => world.watch(), 5_000)
  let batch = FROM
  console.log(`faults: KILELE_TEST_SEED=${SEED}`)
  try {
    phone.prepare = async (browser) => {
      // Without a limit of the test itself Playwright sets none for a step either.
      browser.setDefaultTimeout(10_000)
      browser.setDefaultNavigationTimeout(20_000)
      await browser.addInitScript(shortPatience)
    }
    await phone.prepare(phone.browser)
    await phone.signIn('amina.mentor')
    const homes: string[] = []
    for (; world.faults < FAULTS && (!SECONDS || seconds() < SECONDS); batch++) {
      lines.length = 0
      world.dice = new Dice(`${SEED} ${batch}`)
      await work(world, batch, homes)
      if (batch % 10 === 9) console.log(`  ${world.faults} faults, ${seconds()} s`)
      if (batch % LOSS_EVERY === LOSS_EVERY - 1) await losses(world, hands(world, 0), homes, `Mtu ${SEED}-${batch}-lost`)
    }
  } catch (error) {
    console.log(lines.join('\n'))
    console.log(`faults: failed in batch ${batch}; again with KILELE_TEST_SEED=${SEED} KILELE_FAULT_BATCH=${batch}`)
    throw error
  } finally {
    clearInterval(watch)
    await weather.calm()
    await weather.down()
    console.log(report(world, seconds(), batch - FROM))
  }
  expect(phone.errors.filter((text) => !EXPECTED.test(text)), 'nothing broke in the page by itself').toEqual([])
})

/** A batch in which the browser throws the storage away: those are seldom and slow. */
const LOSS_EVERY = 12
/** What a page says when its storage is full or gone: the screen says so too. */
const EXPECTED = /Quota|storage_full|database connection is closing|No account is open/i

async function work(world: World, batch: number, homes: string[]): Promise<void> {
  const { dice, weather } = world
  const doing = hands(world, dice.between(3, 6))
  // Numbers of its own: how many requests there are depends on the machine, and must not move what strikes the phone.
  if (dice.chance(0.9)) weather.blow(new Dice(`${SEED} ${batch} weather`), dice.pick([0.5, 0.7, 0.85]))
  for (let n = dice.between(1, 3); n > 0; n--) {
    const mark = `Mtu ${SEED}-${batch}-${n}`
    const wish = dice.weighted({ register: 3, note: 5, visit: 2 })
    const what = homes.length ? wish : 'register'
    world.log(`batch ${batch}: ${what}`)
    if (what === 'register') homes.push(await register(doing, mark, dice.chance(0.5)))
    else if (what === 'note') await note(doing, dice.pick(homes), `${mark}: mahindi yamekomaa`)
    else await visit(doing, dice.pick(homes), `${mark}: kuku sita wameanguliwa`)
  }
  await world.check()
  world.harmed()
}

/** A mentor to whom so many strikes happen, before or during a step. */
function hands(world: World, strikes: number): Work {
  const { dice, phone, ledger } = world
  let left = strikes
  const meddle = async (step: string) => {
    if (left <= 0 || !dice.chance(step === 'save' ? 0.75 : 0.35)) return null
    const kind = dice.weighted(WEIGHTS)
    if (STRIKES[kind]!.needsForm && step === 'open') return null
    left--
    world.log(`  ${step}:`)
    if (dice.chance(0.4)) {
      await world.strike(kind)
      return null
    }
    const delay = dice.between(0, step === 'save' ? 40 : 200)
    return async () => {
      await new Promise((done) => setTimeout(done, delay))
      await world.strike(kind)
    }
  }
  return { phone, ledger, dice, harmed: world.harmed, recover: world.recover, attend: world.attend, nudge: world.nudge, log: world.log, meddle }
}

const WEIGHTS = Object.fromEntries(Object.entries(STRIKES).map(([name, { weight }]) => [name, weight]))

/** In the page: a request that nobody answers is given up after seconds and not after minutes. */
function shortPatience(): void {
  const real = AbortSignal.timeout.bind(AbortSignal)
  AbortSignal.timeout = (ms) => real(Math.min(ms, 6_000))
}

function report(world: World, seconds: number, batches: number): string {
  const { saved, lines } = world.ledger
  const counts = [...world.counts].sort((a, b) => b[1] - a[1]).map(([kind, count]) => `  ${String(count).padStart(5)}  ${kind}`)
  return [
    `faults: ${world.faults} in ${batches} batches, ${seconds} s; ${saved} of ${lines.length} records called saved and compared with the server`,
    ...counts,
    `faults: KILELE_TEST_SEED=${SEED}`,
  ].join('\n')
}
