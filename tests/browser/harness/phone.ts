// A phone or a tablet: a browser with a profile of its own on disk, which outlives the browser's process.
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, type BrowserContextOptions, chromium, expect, type Page } from '@playwright/test'
import { openPicture } from '../../../pwa/src/captures/locker'
import type { CaptureMeta, StoreName } from '../../../pwa/src/db/schema'
import { type Login, PASSWORD } from './api'
import { openStore } from './sealed'
import { type Language, say } from './words'

/** Of everybody in the stories. */
export const PIN = '274951'

export const CHROMIUM = process.env.CHROMIUM ?? '/usr/bin/chromium'
export const ARGUMENTS = [
  '--no-sandbox',
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--disable-gpu',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

export const PHONE: BrowserContextOptions = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true }
export const TABLET: BrowserContextOptions = { viewport: { width: 820, height: 1180 }, isMobile: true, hasTouch: true }
export const DESKTOP: BrowserContextOptions = { viewport: { width: 1280, height: 800 } }
/** A village in the demo's county. */
export const HERE = { latitude: -0.3012, longitude: 36.0519, accuracy: 9 }

export class Device {
  private context!: BrowserContext
  page!: Page
  /** What went wrong in the page without anybody asking. */
  readonly errors: string[] = []
  /** Done to each browser before its first page of ours. */
  prepare: (browser: BrowserContext) => Promise<void> = async () => undefined
  private closed = true

  private constructor(
    readonly url: string,
    private readonly profile: string,
    private readonly options: BrowserContextOptions,
    private readonly args: string[],
  ) {}

  static async open(url: string, options: BrowserContextOptions = PHONE, args: string[] = []): Promise<Device> {
    const device = new Device(url, mkdtempSync(join(tmpdir(), 'kilele-browser-')), options, args)
    await device.launch()
    return device
  }

  /** Starts the browser on the same profile: a cold start when it was closed before. */
  async launch(): Promise<void> {
    this.context = await chromium.launchPersistentContext(this.profile, {
      executablePath: CHROMIUM,
      args: [...ARGUMENTS, ...this.args],
      locale: 'en-KE',
      timezoneId: 'Africa/Nairobi',
      permissions: ['geolocation', 'notifications'],
      geolocation: HERE,
      ...this.options,
    })
    this.closed = false
    this.context.once('close', () => (this.closed = true))
    await this.prepare(this.context)
    this.use(this.context.pages()[0] ?? (await this.context.newPage()))
  }

  /** There is no browser any more. */
  get gone(): boolean {
    return this.closed
  }

  use(page: Page): void {
    this.page = page
    page.on('pageerror', (error) => this.errors.push(error.message))
  }

  async newPage(): Promise<Page> {
    this.use(await this.context.newPage())
    return this.page
  }

  get browser(): BrowserContext {
    return this.context
  }

  /** The clock of this device is ahead by so much, from the next page on. */
  async travel(ms: number): Promise<void> {
    await this.context.addInitScript((ahead) => {
      const Real = Date
      globalThis.Date = class extends Real {
        constructor(...given: unknown[]) {
          super(...((given.length ? given : [Real.now() + ahead]) as [number]))
        }
        static override now(): number {
          return Real.now() + ahead
        }
      } as DateConstructor
    }, ms)
  }

  async goto(path: string): Promise<void> {
    const go = () => this.page.goto(this.url + path)
    // A page that lets a new version in loads itself again, and takes the place of where we were going.
    await go().catch((error: unknown) => (/ERR_ABORTED|interrupted by another/.test(String(error)) ? go() : Promise.reject(error)))
    await this.unlock()
  }

  async quit(): Promise<void> {
    await this.context.close()
  }

  /** The battery is out: no process of this browser gets to finish anything. */
  async die(): Promise<void> {
    const closed = this.context.waitForEvent('close')
    for (const pid of pidsWith(`--user-data-dir=${this.profile}`)) process.kill(pid, 'SIGKILL')
    await closed
  }

  /** Threads of what a browser runs beside its pages: its frame, its drawing, its network. */
  besides(): number[] {
    const [main] = pidsWith(`--user-data-dir=${this.profile}`)
    return main ? [main, ...childrenOf(main)].filter((pid) => !/--type=(renderer|zygote)/.test(told(pid, 'cmdline'))).flatMap(threadsOf) : []
  }

  async end(): Promise<void> {
    await this.context.close().catch(() => undefined)
    // A browser that is ending may still write.
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }

  /** From the door to the first screen of the role, with everything of theirs on the phone. */
  async signIn(login: Login, language: Language = 'en'): Promise<void> {
    const { page } = this
    await this.goto('/')
    await page.getByLabel(say('signin_login', {}, language), { exact: true }).fill(login)
    await page.getByLabel(say('signin_password', {}, language), { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: say('signin_go', {}, language), exact: true }).click()
    await this.choosePin(language)
    await expect(page).not.toHaveURL(/sign-in/)
    await this.settled()
  }

  /** On top of the work that waits, when the session has ended. */
  async signInAgain(login: Login, language: Language = 'en'): Promise<void> {
    const { page } = this
    await this.goto('/sign-in?again')
    await page.getByLabel(say('signin_login', {}, language), { exact: true }).fill(login)
    await page.getByLabel(say('signin_password', {}, language), { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: say('signin_go', {}, language), exact: true }).click()
    await expect(page).not.toHaveURL(/sign-in/)
  }

  /** Whoever is new on this phone chooses a PIN. */
  async choosePin(language: Language = 'en', pin = PIN): Promise<void> {
    const { page } = this
    await page.getByLabel(say('pin_new', {}, language), { exact: true }).fill(pin)
    await page.getByLabel(say('pin_repeat', {}, language), { exact: true }).fill(pin)
    await page.getByRole('button', { name: say('pin_choose_go', {}, language), exact: true }).click()
    await expect(page.getByRole('button', { name: say('pin_choose_go', {}, language), exact: true })).toBeHidden()
  }

  /** Gives the PIN where one is asked for: after a cold start, or when the browser ended the worker that held the key. */
  unlock(pin = PIN): Promise<void> {
    return unlock(this.page, pin)
  }

  /** The worker keeps the application, and the first pull is over. */
  async settled(): Promise<void> {
    await this.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
    await expect.poll(() => this.stored('meta', 'lastSyncAt'), { timeout: 60_000 }).toBeTruthy()
  }

  /** One value of the open account's database on this phone. */
  async stored<T>(store: StoreName, key: string): Promise<T | undefined> {
    const found = (await openStore(this.page, store)).find(({ name }) => name === key)
    return found?.value as T | undefined
  }

  /** Everything in one store of the open account's database. */
  async all<T>(store: StoreName): Promise<T[]> {
    return (await openStore(this.page, store)).map(({ value }) => value as T)
  }

  /** The keys of a store: whose bytes are on this phone. */
  async keys(store: StoreName): Promise<string[]> {
    return (await openStore(this.page, store)).map(({ name }) => String(name))
  }

  /** The sha256 of every photo whose bytes are on this phone, by its id. */
  async hashes(): Promise<Record<string, string>> {
    const secrets = new Map((await this.all<CaptureMeta>('captures')).map(({ id, secret }) => [id, secret]))
    const kept = await openStore(this.page, 'blobs')
    const hash = async (id: string, cipher: ArrayBuffer) =>
      createHash('sha256').update(Buffer.from(await openPicture(cipher, secrets.get(id)))).digest('hex')
    return Object.fromEntries(await Promise.all(kept.map(async ({ name, value }) => [name, await hash(String(name), value as ArrayBuffer)])))
  }
}

export async function unlock(page: Page, pin = PIN): Promise<void> {
  const asked = page.locator('input#pin')
  for (let n = 0; n < 3; n++) {
    await expect(page.getByRole('heading', { level: 1 }).first()).toBeAttached()
    if ((await asked.count()) === 0 || (await page.locator('input#repeat').count()) > 0) return
    // The sixth digit is enough.
    await asked.fill(pin)
    await expect(asked).toHaveCount(0)
    // Once more where the page was just being loaded again, for a new version: nobody had touched it yet.
  }
}

const pids = (): number[] => readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number)

/** What the kernel tells of a process; nothing when it is gone meanwhile. */
function told(pid: number, what: 'cmdline' | 'status'): string {
  try {
    return readFileSync(`/proc/${pid}/${what}`, 'utf8')
  } catch {
    return ''
  }
}

const pidsWith = (argument: string): number[] => pids().filter((pid) => told(pid, 'cmdline').split('\0').includes(argument))

function childrenOf(parent: number): number[] {
  const own = pids().filter((pid) => told(pid, 'status').includes(`\nPPid:\t${parent}\n`))
  return [...own, ...own.flatMap(childrenOf)]
}

function threadsOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch {
    return []
  }
}
