// A push service on this machine: hands out subscriptions, keeps what is delivered, answers as it is told to.
import { createECDH, createPublicKey, type ECDH, randomBytes, verify } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { decrypt } from 'http_ece'

export interface Delivered {
  headers: IncomingHttpHeaders
  body: Buffer
}

export class Subscription {
  readonly delivered: Delivered[] = []
  /** How deliveries are answered. */
  status = 201
  retryAfter = ''
  private readonly keys: ECDH = createECDH('prime256v1')
  private readonly auth = randomBytes(16)

  constructor(readonly endpoint: string) {
    this.keys.generateKeys()
  }

  /** What a browser tells the server about it. */
  get told(): { endpoint: string; p256dh: string; auth: string; language: string } {
    const text = (bytes: Buffer) => bytes.toString('base64url')
    return { endpoint: this.endpoint, p256dh: text(this.keys.getPublicKey()), auth: text(this.auth), language: 'en' }
  }

  /** As a browser would: with keys that only it has. */
  open({ body }: Delivered): string {
    const params = { version: 'aes128gcm' as const, privateKey: this.keys, authSecret: this.auth.toString('base64url') }
    return decrypt(body, params).toString('utf8')
  }
}

export class PushService {
  private readonly subscriptions = new Map<string, Subscription>()

  private constructor(
    private readonly server: Server,
    readonly origin: string,
  ) {}

  static async start(): Promise<PushService> {
    const server = createServer((request, answer) => {
      const chunks: Buffer[] = []
      request.on('data', (chunk: Buffer) => chunks.push(chunk))
      request.on('end', () => {
        const subscription = service.subscriptions.get(request.url ?? '')
        subscription?.delivered.push({ headers: request.headers, body: Buffer.concat(chunks) })
        if (subscription?.retryAfter) answer.setHeader('retry-after', subscription.retryAfter)
        answer.writeHead(subscription?.status ?? 404).end()
      })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const service = new PushService(server, `http://127.0.0.1:${(server.address() as { port: number }).port}`)
    return service
  }

  subscribe(): Subscription {
    const path = `/push/${randomBytes(9).toString('base64url')}`
    const subscription = new Subscription(this.origin + path)
    this.subscriptions.set(path, subscription)
    return subscription
  }

  end(): void {
    this.server.closeAllConnections()
    this.server.close()
  }
}

/** The claims of a VAPID authorization (RFC 8292), or an error when the signature is not by that key. */
export function vapid(authorization: string): { claims: { aud: string; exp: number; sub: string }; key: string } {
  const parts = /^vapid t=([\w-]+)\.([\w-]+)\.([\w-]+), ?k=([\w-]+)$/.exec(authorization)
  if (!parts) throw new Error(`not a VAPID authorization: ${authorization}`)
  const [, header, payload, signature, key] = parts as unknown as [string, string, string, string, string]
  const point = Buffer.from(key, 'base64url')
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((half) => half.toString('base64url'))
  const publicKey = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
  const signed = Buffer.from(`${header}.${payload}`)
  const good = verify('sha256', signed, { key: publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'))
  if (!good) throw new Error('the VAPID token has another signature')
  return { claims: JSON.parse(Buffer.from(payload, 'base64url').toString()), key }
}
