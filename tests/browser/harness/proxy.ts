// The line between a phone and the server: counts what crosses it, holds a request back, cuts one in the middle,
// and can be down altogether.
import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server as Listener, type ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { freePort } from './processes'

export interface Passed {
  method: string
  path: string
  /** Bytes of the request's body that went towards the server. */
  sent: number
  /** Bytes of the answer's body that went towards the phone. */
  received: number
  /** 0 until the server has answered. */
  status: number
}

export interface Gate {
  /** Resolves when a request waits at it. */
  reached: Promise<Passed>
  /** Lets the one that waits pass, and everything after it. */
  open: () => void
  /** Ends the connection of the one that waits, at both ends: the rest of its body reaches nobody. */
  cut: () => void
}

type Match = (method: string, path: string) => boolean

export class Line {
  readonly passed: Passed[] = []
  private listener: Listener | null = null
  private readonly sockets = new Set<Socket>()
  private gates: { match: Match; after: number; gate: Promise<'open' | 'cut'>; reached: (passed: Passed) => void }[] = []

  private constructor(
    readonly port: number,
    private readonly server: number,
  ) {}

  static async to(server: number): Promise<Line> {
    const line = new Line(await freePort(), server)
    await line.up()
    return line
  }

  get url(): string {
    return `http://localhost:${this.port}`
  }

  async up(): Promise<void> {
    const listener = createServer((incoming, answer) => void this.forward(incoming, answer))
    listener.on('connection', (socket) => {
      this.sockets.add(socket)
      socket.once('close', () => this.sockets.delete(socket))
    })
    listener.on('upgrade', (incoming, socket: Socket, head) => this.upgrade(incoming, socket, head))
    listener.listen(this.port, '127.0.0.1')
    await once(listener, 'listening')
    this.listener = listener
  }

  /** No line at all: connections are refused, and those that were open are gone. */
  async down(): Promise<void> {
    const listener = this.listener
    if (!listener) return
    this.listener = null
    const closed = once(listener, 'close')
    listener.close()
    for (const socket of this.sockets) socket.destroy()
    await closed
  }

  /** Holds back the first matching request once `after` bytes of its body have passed, and all matching ones behind it. */
  hold(match: Match, after = 0): Gate {
    let decide!: (how: 'open' | 'cut') => void
    let reached!: (passed: Passed) => void
    const gate = new Promise<'open' | 'cut'>((done) => (decide = done))
    const waits = new Promise<Passed>((done) => (reached = done))
    const entry = { match, after, gate, reached }
    this.gates.push(entry)
    const letGo = (how: 'open' | 'cut') => () => {
      this.gates = this.gates.filter((other) => other !== entry)
      decide(how)
    }
    return { reached: waits, open: letGo('open'), cut: letGo('cut') }
  }

  private async forward(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const passed: Passed = { method: incoming.method ?? '', path: incoming.url ?? '', sent: 0, received: 0, status: 0 }
    this.passed.push(passed)
    const held = this.gates.find(({ match }) => match(passed.method, passed.path))
    if (held && held.after === 0) {
      held.reached(passed)
      if ((await held.gate) === 'cut') answer.destroy()
    }
    if (answer.destroyed) return
    const outgoing = request({
      host: '127.0.0.1',
      port: this.server,
      method: incoming.method,
      path: incoming.url,
      headers: incoming.rawHeaders.length ? pairs(incoming.rawHeaders) : incoming.headers,
      agent: false,
    })
    outgoing.on('response', (response) => {
      passed.status = response.statusCode ?? 0
      answer.writeHead(passed.status, response.rawHeaders)
      response.on('error', () => answer.destroy())
      response.on('data', (bytes: Buffer) => (passed.received += bytes.length))
      response.pipe(answer)
    })
    outgoing.on('error', () => answer.destroy())
    // The phone went away: the server sees a body that ends in the middle.
    answer.on('close', () => {
      if (!answer.writableFinished) outgoing.destroy()
    })
    incoming.on('error', () => outgoing.destroy())
    try {
      for await (const chunk of incoming as AsyncIterable<Buffer>) {
        let rest = chunk
        if (held && held.after > passed.sent && held.after <= passed.sent + rest.length) {
          const first = rest.subarray(0, held.after - passed.sent)
          outgoing.write(first)
          passed.sent += first.length
          rest = rest.subarray(first.length)
          held.reached(passed)
          if ((await held.gate) === 'cut') incoming.socket.destroy()
        }
        if (outgoing.destroyed || incoming.socket.destroyed) return void outgoing.destroy()
        passed.sent += rest.length
        if (!outgoing.write(rest)) await Promise.race([once(outgoing, 'drain'), once(outgoing, 'close')])
      }
      outgoing.end()
    } catch {
      outgoing.destroy()
    }
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

function pairs(raw: string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {}
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    const before = headers[name]
    headers[name] = before === undefined ? raw[i + 1]! : [before, raw[i + 1]!].flat()
  }
  return headers
}
