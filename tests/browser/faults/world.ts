// One mentor's phone, the line, and the server: how they are struck, and how everything becomes well again.
import { expect } from '@playwright/test'
import { type Api, signIn } from '../harness/api'
import { type Device } from '../harness/phone'
import { until } from '../harness/processes'
import type { Server } from '../harness/server'
import { say } from '../harness/words'
import type { Dice } from './dice'
import { Ledger } from './ledger'
import { quota, STRIKES } from './strikes'
import type { Weather } from './weather'

/** Milliseconds: twice as long as anything here is waited for. */
const HUNG = 180_000

export class World {
  readonly ledger = new Ledger()
  readonly counts = new Map<string, number>()
  dice!: Dice
  /** How many more attempts are made on a full disk. */
  full = 0
  private harm = 0
  /** When anything was last done. */
  private moved = Date.now()
  private api: Api | null = null

  constructor(
    readonly phone: Device,
    readonly weather: Weather,
    readonly server: Server,
    private readonly tell: (text: string) => void,
  ) {
    weather.onGust = (gust) => {
      this.count(gust)
      // A phone whose line comes and goes tries at once; otherwise it would wait for minutes.
      void this.nudge()
    }
  }

  log = (text: string): void => {
    this.moved = Date.now()
    this.tell(text)
  }

  /** A browser that answers nothing any more, not even that it is slow, is ended as a person would end it. */
  watch(): void {
    if (Date.now() - this.moved < HUNG) return
    this.log('    the browser hangs: killed')
    this.count('(browser hung: killed)')
    this.harm++
    void this.phone.die().catch(() => undefined)
  }

  get faults(): number {
    return [...this.counts].reduce((sum, [kind, count]) => sum + (kind.startsWith('(') ? 0 : count), 0)
  }

  count(kind: string): void {
    this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1)
  }

  /** Whether phone, browser or server were struck since the last call; the weather alone excuses nobody. */
  harmed = (): boolean => {
    const was = this.harm > 0 || this.full > 0
    this.harm = 0
    return was
  }

  async strike(kind: string): Promise<void> {
    this.log(`    ${kind}`)
    this.count(kind)
    this.harm++
    await STRIKES[kind]!.strike(this)
  }

  nudge = async (): Promise<void> => {
    await this.phone.page.evaluate(() => dispatchEvent(new Event('online'))).catch(() => undefined)
  }

  /** A page of the app on the screen, whatever state the browser is in. The network may still be away. */
  recover = async (): Promise<void> => {
    if (this.phone.gone) await this.phone.launch()
    else if (this.phone.page.isClosed()) await this.phone.newPage()
    // A tab that opened while another one died may believe that nobody looks at it, and paint nothing.
    await this.phone.page.bringToFront()
    // Space is made, as the message asks for, after one attempt without it: nothing can be kept, and nothing says so wrongly.
    if (this.full > 0) this.full--
    if (this.full === 0) await quota(this, null)
  }

  /** The end of all harm. */
  async heal(): Promise<void> {
    await this.weather.calm()
    this.full = 0
    await this.recover()
    await this.phone.browser.setOffline(false)
    if (!this.server.alive || this.server.clock !== 0) {
      await this.server.down('SIGKILL')
      this.server.clock = 0
      await this.server.up()
    }
    await this.weather.up()
  }

  /** Until the phone says that everything is on the server; what it says needs attention is looked after first. */
  async synced(): Promise<void> {
    const { phone } = this
    await phone.goto('/')
    const { page } = phone
    const pill = page.getByRole('main').getByRole('link').filter({ has: page.getByRole('status') }).first()
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible()
    const attention = new RegExp(`^(${['one', 'other'].map((n) => escape(plural('sync_attention', n)).replace('\\{count\\}', '\\d+')).join('|')})`)
    let tries = 0
    await until(
      'everything to be on the server',
      async () => {
        const said = (await pill.textContent({ timeout: 20_000 }).catch(() => '')) ?? ''
        if (said.includes(say('sync_done'))) return true
        if (attention.test(said.trim()) && tries++ < 20) await this.attend().then(() => phone.goto('/'))
        else if (said.includes(say('sync_signed_out'))) await this.signInAgain()
        else if (said.includes(say('sync_waiting', { items: '' }).trim())) await this.nudge()
        return false
      },
      90_000,
    )
  }

  /** "Try again" for everything that the phone says was refused; it says why. */
  attend = async (patience = 10_000): Promise<void> => {
    const { page } = this.phone
    await this.phone.goto('/me')
    const refused = page.locator('#attention').getByRole('button', { name: say('try_again') })
    await refused.first().waitFor({ timeout: patience })
    for (let left = await refused.count(); left > 0; left--) {
      this.counts.set('(told why, tried again)', (this.counts.get('(told why, tried again)') ?? 0) + 1)
      this.log(`told: ${(await page.locator('#attention').innerText()).replaceAll(/\s+/g, ' ')}`)
      await refused.first().click()
    }
    await expect(refused).toHaveCount(0)
  }

  private async signInAgain(): Promise<void> {
    this.counts.set('(asked to sign in)', (this.counts.get('(asked to sign in)') ?? 0) + 1)
    await this.phone.signInAgain('amina.mentor')
    await this.phone.goto('/')
  }

  /** Heals, waits, and compares the ledger with the server. */
  async check(): Promise<void> {
    await this.heal()
    await this.synced()
    this.api ??= await signIn(this.server.url, 'amina.mentor')
    let wrong: string[] = []
    const compared = async () => {
      wrong = await this.ledger.compare(await this.fresh())
      return wrong.length === 0
    }
    // The server still looks at pictures for a moment after their bytes are there.
    await until('the ledger to agree', compared, 20_000).catch(() => undefined)
    expect(wrong, 'what was called saved is on the server, once and whole').toEqual([])
  }

  private async fresh(): Promise<Api> {
    const answer = await this.api!.request('GET', '/api/households?limit=1')
    if (answer.status === 401) this.api = await signIn(this.server.url, 'amina.mentor')
    return this.api!
  }
}

const escape = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
const plural = (key: string, kind: string) => say(key, { count: kind === 'one' ? 1 : 2 }).replace(/\b[12]\b/, '{count}')
