// What befalls a phone and its server at the worst moment. Each strike leaves a page to go on with, or says that
// there is none; `heal` in world.ts undoes what lasts.
import type { CDPSession } from '@playwright/test'
import type { World } from './world'

export interface Strike {
  /** How often, beside the others. */
  weight: number
  /** Does the harm. */
  strike: (world: World) => Promise<void>
  /** Not while a page is being opened: there would be nothing to harm. */
  needsForm?: boolean
}

const DAY = 86_400_000

export const STRIKES: Record<string, Strike> = {
  'page crash': { weight: 2, strike: crash },
  'browser SIGKILL': { weight: 1.2, strike: (world) => world.phone.die() },
  reload: { weight: 3, strike: async (world) => {
    await world.phone.page.reload({ waitUntil: 'commit' }).catch(() => undefined)
    await turnPage(world)
  } },
  'tab closed': { weight: 1, strike: turnPage },
  offline: { weight: 3, strike: async ({ phone }) => void (await phone.browser.setOffline(true)) },
  'line down': { weight: 2, strike: ({ weather }) => weather.down() },
  'server kill -9': { weight: 2.5, strike: ({ server }) => server.down('SIGKILL') },
  'server clock jump': { weight: 0.7, strike: async (world) => {
    await world.server.down('SIGKILL')
    world.server.clock = world.dice.between(-2 * DAY, 2 * DAY)
    await world.server.up()
  } },
  'page clock jump': { weight: 1.5, strike: (world) => jump(world, world.dice.between(-2 * DAY, 2 * DAY)) },
  'quota exceeded': { weight: 0.8, strike: fill },
  'worker stopped': { weight: 2, strike: stopWorkers },
  locked: { weight: 1, strike: lock },
  'update in mid-form': { weight: 1.5, needsForm: true, strike: update },
}

async function crash({ phone }: World): Promise<void> {
  const inspector = await phone.browser.newCDPSession(phone.page)
  const crashed = phone.page.waitForEvent('crash')
  // Never answers: there is nobody left to.
  void inspector.send('Page.crash').catch(() => undefined)
  await crashed
  await turnPage({ phone })
}

/** Whoever was at work on the old page notices at once. */
async function turnPage({ phone }: Pick<World, 'phone'>): Promise<void> {
  const old = phone.page
  await phone.newPage()
  await old.close()
  await phone.page.bringToFront().catch(() => undefined)
}

/** The page's own clock, as it will be until the page is loaded again. */
async function jump({ phone }: World, by: number): Promise<void> {
  await phone.page.evaluate((ms) => {
    const Real = Date
    const at = () => Real.now() + ms
    globalThis.Date = new Proxy(Real, {
      construct: (target, given: unknown[]) => (given.length ? Reflect.construct(target, given) : new Real(at())) as object,
      apply: () => new Real(at()).toString(),
      get: (target, name) => (name === 'now' ? at : Reflect.get(target, name)),
    })
  }, by)
}

/** A browser that runs believes for half a minute that there is room; one that starts does not. */
async function fill(world: World): Promise<void> {
  const { phone, dice } = world
  const used = await phone.page.evaluate(async () => (await navigator.storage.estimate()).usage!).catch(() => 3_000_000)
  await phone.quit()
  await phone.launch()
  await quota(world, used + dice.pick([-500_000, 0, 20_000, 150_000]))
  world.full = 2
}

/** Null: as much as the disk has. It lasts as long as whoever said it listens, or the page does. */
export async function quota({ phone, weather }: World, bytes: number | null): Promise<void> {
  await disks.get(phone)?.detach().catch(() => undefined)
  disks.delete(phone)
  if (bytes === null) return
  const inspector = await phone.browser.newCDPSession(phone.page)
  disks.set(phone, inspector)
  await inspector.send('Storage.overrideQuotaForOrigin', { origin: weather.url, quotaSize: bytes })
}
const disks = new WeakMap<World['phone'], CDPSession>()

async function stopWorkers({ phone }: World): Promise<void> {
  const inspector = await phone.browser.newCDPSession(phone.page)
  await inspector.send('ServiceWorker.enable')
  await inspector.send('ServiceWorker.stopAllWorkers')
  await inspector.detach()
}

/** The browser ended worker and page: the phone asks for the PIN, and what is sealed goes out without it. */
async function lock(world: World): Promise<void> {
  await stopWorkers(world)
  await turnPage(world)
  await world.phone.page.goto(world.weather.url, { waitUntil: 'commit' }).catch(() => undefined)
}

/** A new build is there while someone types: the page stays, with what is in it. */
async function update(world: World): Promise<void> {
  const { phone, weather } = world
  weather.version++
  await phone.page.evaluate(async () => {
    Object.assign(globalThis, { stillHere: true })
    const registration = await navigator.serviceWorker.getRegistration()
    await registration?.update().catch(() => undefined)
    const worker = registration?.installing
    if (worker) {
      await new Promise<void>((done) => {
        const look = () => (worker.state === 'installed' || worker.state === 'redundant') && done()
        worker.addEventListener('statechange', look)
        look()
      })
    }
  })
  if (!(await phone.page.evaluate(() => 'stillHere' in globalThis))) throw new Error('an update interrupted a form')
}
