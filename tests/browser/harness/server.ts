// One server of its own for each story: a free port, a copy of the demo's data, and the power to kill it and bring
// it back on the same port with the same data.
import { spawnSync } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BINARY } from './paths'
import { alive, freePort, type Running, start, stop, until } from './processes'

export interface Options {
  /** Settings beside those every story has. */
  env?: Record<string, string>
  /** An installation that nobody has set up, instead of the demo. */
  empty?: boolean
  /** Done with the data before the first start. */
  prepare?: (data: string, env: Record<string, string>) => Promise<void>
}

export class Server {
  private process: Running | null = null
  /** How far its clock is from the machine's, from the next start on. */
  clock = 0

  private constructor(
    readonly port: number,
    readonly data: string,
    private readonly env: Record<string, string>,
  ) {}

  /** `localhost`, because only there and over TLS browsers give a page its service worker. */
  get url(): string {
    return `http://localhost:${this.port}`
  }

  static async start({ env = {}, empty = false, prepare }: Options = {}): Promise<Server> {
    const data = await mkdtemp(join(tmpdir(), 'kilele-story-'))
    if (!empty) await cp(process.env.KILELE_DEMO_DATA!, data, { recursive: true })
    await prepare?.(data, env)
    const server = new Server(await freePort(), data, env)
    await server.up()
    return server
  }

  /** Another copy of this server, on the same database, pictures and keys. It ends before this one does. */
  async twin(): Promise<Server> {
    const twin = new Server(await freePort(), this.data, this.env)
    await twin.up()
    return twin
  }

  /** Starts it, or starts it again, with settings of this start. Resolves when it is ready for work. */
  async up(settings: Record<string, string> = {}): Promise<void> {
    const begun = start(BINARY, ['serve'], {
      cwd: this.data,
      env: {
        KILELE_LISTEN: `127.0.0.1:${this.port}`,
        KILELE_DATA_DIR: this.data,
        KILELE_SIGN_IN_PER_MINUTE: '1000',
        KILELE_PUSH_LOOPBACK: 'true',
        KILELE_CLOCK_AHEAD: String(Math.round(this.clock)),
        ...this.env,
        ...settings,
      },
    })
    this.process = begun
    await until('the server', async () => {
      if (!alive(begun.child)) throw new Error(`the server ended:\n${begun.output()}`)
      const answer = await fetch(`http://127.0.0.1:${this.port}/health/ready`).catch(() => null)
      return answer?.ok ?? false
    })
  }

  /** Another command of the program, on this server's data: its exit code and what it said. */
  command(...words: string[]): { code: number | null; said: string } {
    const env = { ...process.env, KILELE_DATA_DIR: this.data, ...this.env }
    const { status, stdout, stderr } = spawnSync(BINARY, words, { cwd: this.data, env, encoding: 'utf8' })
    return { code: status, said: stdout + stderr }
  }

  /** SIGKILL is the power cut, SIGTERM the orderly end. */
  async down(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    if (this.process) await stop(this.process.child, signal)
    this.process = null
  }

  get alive(): boolean {
    return this.process !== null && alive(this.process.child)
  }

  output(): string {
    return this.process?.output() ?? ''
  }

  async end(): Promise<void> {
    await this.down()
    await rm(this.data, { recursive: true, force: true })
  }
}
