// The line between the phone and the server, on which everything that can happen to a request does happen: refused,
// cut, lost, doubled, delayed, delivered long after the phone gave up. Counts each; calm again when it is told to be.
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server as Listener, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { freePort } from '../harness/processes'
import { Dice } from './dice'

const GUSTS = {
  /** Answered in the server's place, which never hears of it. */
  'error 500': 2,
  'busy 503': 2,
  'too many 429': 2,
  'too large 413': 0.5,
  /** The server did it, and the gateway says that it did not. */
  'gateway 502 after': 2,
  'gateway 504 after': 2,
  /** No answer until the phone gives up. */
  timeout: 0.6,
  'request cut': 3,
  'answer cut': 3,
  'answer lost': 3,
  doubled: 3,
  delayed: 3,
  /** The line breaks, and the request arrives after all, behind later ones. */
  late: 3,
} as const
export type Gust = keyof typeof GUSTS

interface Taken {
  status: number
  headers: string[]
  body: Buffer
}

const hopeless = { status: 599, headers: [], body: Buffer.alloc(0) }

export class Weather {
  /** Bumped: the server offers another version of the application. */
  version = 0
  /** Paths that break off whenever they are asked for. */
  broken: RegExp | null = null
  /** Told at each gust, once it has done its harm. */
  onGust: (gust: Gust) => void = () => undefined
  private listener: Listener | null = null
  private readonly sockets = new Set<Socket>()
  private readonly pending = new Set<Promise<unknown>>()
  private calming = new AbortController()
  private storm: { dice: Dice; share: number } | null = null

  private constructor(
    readonly port: number,
    private readonly server: number,
  ) {}

  static async over(server: number): Promise<Weather> {
    const weather = new Weather(await freePort(), server)
    await weather.up()
    return weather
  }

  get url(): string {
    return `http://localhost:${this.port}`
  }

  /** From now on a `share` of the requests that matter meets with something. */
  blow(dice: Dice, share: number): void {
    this.storm = { dice, share }
  }

  /** No more of it; what is still on its way late arrives before this resolves. */
  async calm(): Promise<void> {
    this.storm = null
    this.calming.abort()
    this.calming = new AbortController()
    await Promise.allSettled(this.pending)
  }

  async up(): Promise<void> {
    if (this.listener) return
    const listener = createServer((incoming, answer) => {
      void this.take(incoming, answer).catch(() => answer.destroy())
    })
    listener.on('connection', (socket) => {
      this.sockets.add(socket)
      socket.on('error', () => undefined)
      socket.once('close', () => this.sockets.delete(socket))
    })
    listener.on('upgrade', (incoming, socket: Socket, head) => this.upgrade(incoming, socket, head))
    listener.listen(this.port, '127.0.0.1')
    await once(listener, 'listening')
    this.listener = listener
  }

  async down(): Promise<void> {
    const listener = this.listener
    if (!listener) return
    this.listener = null
    const closed = once(listener, 'close')
    listener.close()
    for (const socket of this.sockets) socket.destroy()
    await closed
  }

  private async take(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const pieces: Buffer[] = []
    for await (const piece of incoming) pieces.push(piece as Buffer)
    const body = Buffer.concat(pieces)
    const path = incoming.url ?? '/'
    if (this.broken?.test(path)) return void answer.destroy()
    if (path === '/sw.js' && this.version > 0) return this.newVersion(incoming, answer)
    const matters = /^\/api\/(sync|outbox|uploads|commands|sessions\/refresh)/.test(path)
    const gust = matters && this.storm && this.storm.dice.chance(this.storm.share) ? this.storm.dice.weighted(GUSTS) : null
    if (!gust) return reply(answer, await this.forward(incoming, body))
    await this.gust(gust, this.storm!.dice, incoming, answer, body)
    this.onGust(gust)
  }

  private async gust(gust: Gust, dice: Dice, incoming: IncomingMessage, answer: ServerResponse, body: Buffer): Promise<void> {
    const refuse = (status: number, code: string, more: string[] = []) =>
      reply(answer, { status, headers: ['content-type', 'application/json', ...more], body: Buffer.from(JSON.stringify({ code, message: 'The weather.' })) })
    switch (gust) {
      case 'error 500':
        return refuse(500, 'unexpected')
      case 'busy 503':
        return refuse(503, 'unavailable', ['retry-after', '1'])
      case 'too many 429':
        return refuse(429, 'too_many', ['retry-after', '1'])
      case 'too large 413':
        return refuse(413, 'too_large')
      case 'gateway 502 after':
      case 'gateway 504 after':
        await this.forward(incoming, body)
        return reply(answer, { status: Number(gust.slice(8, 11)), headers: ['content-type', 'text/html'], body: Buffer.from('<h1>Gateway</h1>') })
      case 'timeout':
        // Until the phone's own patience ends, or the weather calms.
        await Promise.race([once(answer, 'close'), new Promise((done) => this.calming.signal.addEventListener('abort', done))])
        return void answer.destroy()
      case 'request cut':
        await this.forward(incoming, body, dice.below(body.length + 1))
        return void answer.destroy()
      case 'answer cut': {
        const whole = await this.forward(incoming, body)
        const length = ['content-length', String(whole.body.length)]
        answer.writeHead(whole.status, [...without(whole.headers, ['content-length', 'transfer-encoding']), ...length])
        answer.write(whole.body.subarray(0, dice.below(whole.body.length + 1)), () => answer.destroy())
        return
      }
      case 'answer lost':
        await this.forward(incoming, body)
        return void answer.destroy()
      case 'doubled': {
        const both = dice.chance(0.5)
          ? await Promise.all([this.forward(incoming, body), this.forward(incoming, body)])
          : [await this.forward(incoming, body), await this.forward(incoming, body)]
        return reply(answer, dice.pick(both))
      }
      case 'delayed': {
        const [before, after] = [dice.between(0, 250), dice.between(0, 250)]
        await wait(before)
        const whole = await this.forward(incoming, body)
        await wait(after)
        return reply(answer, whole)
      }
      case 'late': {
        const later = wait(dice.between(100, 1200)).then(() => this.forward(incoming, body))
        const arrives = later.finally(() => this.pending.delete(arrives))
        this.pending.add(arrives)
        return void answer.destroy()
      }
    }
  }

  /** To the server; never throws. `cut`: the connection ends after so many bytes of the body. */
  private forward(incoming: IncomingMessage, body: Buffer, cut?: number): Promise<Taken> {
    return new Promise((done) => {
      const outgoing = request({
        host: '127.0.0.1',
        port: this.server,
        method: incoming.method,
        path: incoming.url,
        headers: [...without(incoming.rawHeaders, ['content-length', 'transfer-encoding', 'connection']), 'content-length', String(body.length)],
        setHost: false,
        agent: false,
      })
      outgoing.on('error', () => done(hopeless))
      outgoing.on('response', (response) => {
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.on('error', () => done(hopeless))
        response.on('close', () => response.complete || done(hopeless))
        response.on('end', () => done({ status: response.statusCode ?? 502, headers: response.rawHeaders, body: Buffer.concat(pieces) }))
      })
      if (cut === undefined) return void outgoing.end(body)
      outgoing.on('close', () => done(hopeless))
      outgoing.flushHeaders()
      outgoing.write(body.subarray(0, cut), () => outgoing.destroy())
    })
  }

  /** The worker as a new build would bring it: other bytes, another name for its shell. */
  private async newVersion(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    incoming.rawHeaders = without(incoming.rawHeaders, ['accept-encoding', 'if-none-match', 'if-modified-since'])
    const whole = await this.forward(incoming, Buffer.alloc(0))
    const text = whole.body.toString().replaceAll(/(kilele-shell-[0-9a-f]{12})/g, `$1-${this.version}`)
    if (whole.status === 200 && text === whole.body.toString()) throw new Error('sw.js names no shell')
    reply(answer, { ...whole, headers: without(whole.headers, ['content-length', 'etag']), body: Buffer.from(text) })
  }

  private upgrade(incoming: IncomingMessage, socket: Socket, head: Buffer): void {
    const upstream = connect(this.server, '127.0.0.1', () => {
      const headers = incoming.rawHeaders
      const lines = [`${incoming.method} ${incoming.url} HTTP/1.1`]
      for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
      upstream.write(`${lines.join('\r\n')}\r\n\r\n`)
      upstream.write(head)
      upstream.pipe(socket).pipe(upstream)
    })
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  }
}

const wait = (ms: number) => new Promise((done) => setTimeout(done, ms))

function reply(answer: ServerResponse, { status, headers, body }: Taken): void {
  if (status === 599) return void answer.destroy()
  const length = status === 204 || status === 304 ? [] : ['content-length', String(body.length)]
  // The answer to HEAD says a length that it does not have.
  const kept = answer.req.method === 'HEAD' ? headers : [...without(headers, ['content-length', 'transfer-encoding', 'connection']), ...length]
  answer.writeHead(status, kept)
  answer.end(body)
}

function without(raw: string[], names: string[]): string[] {
  const kept: string[] = []
  for (let i = 0; i < raw.length; i += 2) if (!names.includes(raw[i]!.toLowerCase())) kept.push(raw[i]!, raw[i + 1]!)
  return kept
}
