// The push service that Firefox speaks to (its WebSocket protocol), on loopback: it hands out endpoints to subscribe
// with, and what a server POSTs to one goes down to the browser.
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { randomUUID } from 'node:crypto'
import { type WebSocket, WebSocketServer } from 'ws'

interface Message {
  messageType?: string
  channelID?: string
  updates?: { channelID: string; version: string; code: number }[]
}

export class Autopush {
  /** Status of each POST that came, and what the browser said of it (100 is "shown"). */
  readonly taken: string[] = []
  readonly acknowledged: { version: string; code: number }[] = []
  private browser: WebSocket | null = null

  private constructor(
    private readonly http: Server,
    private readonly sockets: WebSocketServer,
  ) {}

  static async start(): Promise<Autopush> {
    const http = createServer()
    const sockets = new WebSocketServer({ server: http, handleProtocols: () => 'push-notification' })
    const service = new Autopush(http, sockets)
    sockets.on('connection', (socket) => service.meet(socket))
    http.on('request', (request, response) => {
      void service.deliver(request).then((status) => response.writeHead(status).end())
    })
    await new Promise<void>((ready) => http.listen(0, '127.0.0.1', ready))
    return service
  }

  private get port(): number {
    return (this.http.address() as AddressInfo).port
  }

  /** What Firefox's `dom.push.serverURL` is set to. */
  get url(): string {
    return `ws://127.0.0.1:${this.port}/`
  }

  private meet(socket: WebSocket): void {
    this.browser = socket
    const say = (message: object) => socket.send(JSON.stringify(message))
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as Message
      if (message.messageType === 'hello') {
        say({ messageType: 'hello', uaid: randomUUID().replaceAll('-', ''), status: 200, use_webpush: true, broadcasts: {} })
      } else if (message.messageType === 'register') {
        const pushEndpoint = `http://127.0.0.1:${this.port}/push/${message.channelID}`
        say({ messageType: 'register', channelID: message.channelID, status: 200, pushEndpoint })
      } else if (message.messageType === 'unregister') {
        say({ messageType: 'unregister', channelID: message.channelID, status: 200 })
      } else if (message.messageType === 'ack') {
        this.acknowledged.push(...(message.updates ?? []))
      } else {
        say({})
      }
    })
  }

  private async deliver(request: IncomingMessage): Promise<number> {
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece as Buffer)
    const channelID = request.url?.match(/^\/push\/([0-9a-f-]{36})$/)?.[1]
    if (!channelID || request.method !== 'POST' || !this.browser) return 404
    const version = randomUUID()
    this.taken.push(version)
    this.browser.send(
      JSON.stringify({
        messageType: 'notification',
        channelID,
        version,
        data: Buffer.concat(pieces).toString('base64url'),
        headers: { encoding: String(request.headers['content-encoding']) },
      }),
    )
    return 201
  }

  async end(): Promise<void> {
    for (const socket of this.sockets.clients) socket.terminate()
    await new Promise((closed) => this.http.close(closed))
  }
}
