// A phone or a tablet: a browser with a profile of its own on disk, which outlives the browser's process.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, type BrowserContextOptions, chromium, expect, type Page } from '@playwright/test'
import { type Login, PASSWORD } from './api'
import { type Language, say } from './words'

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
    this.use(this.context.pages()[0] ?? (await this.context.newPage()))
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

  async goto(path: string): Promise<void> {
    await this.page.goto(this.url + path)
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

  async end(): Promise<void> {
    await this.context.close().catch(() => undefined)
    rmSync(this.profile, { recursive: true, force: true })
  }

  /** From the door to the first screen of the role, with everything of theirs on the phone. */
  async signIn(login: Login, language: Language = 'en'): Promise<void> {
    const { page } = this
    await this.goto('/')
    await page.getByLabel(say('signin_login', {}, language), { exact: true }).fill(login)
    await page.getByLabel(say('signin_password', {}, language), { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: say('signin_go', {}, language), exact: true }).click()
    await expect(page).not.toHaveURL(/sign-in/)
    await this.settled()
  }

  /** The worker keeps the application, and the first pull is over. */
  async settled(): Promise<void> {
    await this.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined))
    await expect.poll(() => this.stored('meta', 'lastSyncAt'), { timeout: 60_000 }).toBeTruthy()
  }

  /** One value of the account's database on this phone. */
  async stored<T>(store: string, key: string): Promise<T | undefined> {
    return this.page.evaluate(readStore, { store, key }) as Promise<T | undefined>
  }

  /** Everything in one store of the account's database. */
  async all<T>(store: string): Promise<T[]> {
    return this.page.evaluate(readStore, { store }) as Promise<T[]>
  }

  /** The keys of a store: whose bytes are on this phone. */
  async keys(store: string): Promise<string[]> {
    return this.page.evaluate(readStore, { store, keys: true }) as Promise<string[]>
  }

  /** The sha256 of every photo whose bytes are on this phone, by its id. */
  async hashes(): Promise<Record<string, string>> {
    const ids = await this.keys('blobs')
    const hashes = (await this.page.evaluate(readStore, { store: 'blobs', hash: true })) as string[]
    return Object.fromEntries(ids.map((id, i) => [id, hashes[i]!]))
  }
}

function pidsWith(argument: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(argument)
      } catch {
        return false // gone meanwhile
      }
    })
    .map(Number)
}

interface Asked {
  store: string
  key?: string
  /** The keys instead of the values. */
  keys?: boolean
  /** The sha256 of each value instead of the value. */
  hash?: boolean
}

/** Runs in the page. */
async function readStore({ store, key, keys, hash }: Asked): Promise<unknown> {
  const known = (await indexedDB.databases()).map(({ name }) => name ?? '')
  const name = known.find((one) => one.startsWith('kilele-'))
  if (!name) return keys || key === undefined ? [] : undefined
  const db = await new Promise<IDBDatabase>((done, fail) => {
    const opening = indexedDB.open(name)
    opening.onsuccess = () => done(opening.result)
    opening.onerror = () => fail(opening.error)
  })
  try {
    const found = await new Promise<unknown>((done, fail) => {
      const from = db.transaction(store).objectStore(store)
      const asked = key !== undefined ? from.get(key) : keys ? from.getAllKeys() : from.getAll()
      asked.onsuccess = () => done(asked.result)
      asked.onerror = () => fail(asked.error)
    })
    if (!hash) return found
    const hex = (digest: ArrayBuffer) => [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    return await Promise.all((found as ArrayBuffer[]).map(async (bytes) => hex(await crypto.subtle.digest('SHA-256', bytes))))
  } finally {
    db.close()
  }
}
