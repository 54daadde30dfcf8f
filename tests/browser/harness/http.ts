// HTTP without a client's help: repeated headers stay repeated, any header can be claimed, any address of this
// machine can be the caller's.
import { type IncomingMessage, type RequestOptions, request as plain } from 'node:http'
import { request as tls } from 'node:https'
import WebSocket from 'ws'

export interface Asked {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
  /** An address of 127.0.0.0/8 to come from. */
  from?: string
}

export interface Answer {
  status: number
  headers: IncomingMessage['headers']
  body: Buffer
  /** Every value that was sent under this name, not joined. */
  every: (name: string) => string[]
}

export function ask(url: string, { method = 'GET', headers = {}, body, from }: Asked = {}): Promise<Answer> {
  const { protocol, hostname, port, pathname, search, host } = new URL(url)
  const options: RequestOptions & { rejectUnauthorized: boolean } = {
    // By number, so that the caller's address can be chosen.
    host: hostname === 'localhost' ? '127.0.0.1' : hostname,
    port,
    path: pathname + search,
    method,
    headers: { host, ...headers },
    localAddress: from,
    rejectUnauthorized: false,
    agent: false,
  }
  return new Promise((answer, fail) => {
    const request = (protocol === 'https:' ? tls : plain)(options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', fail)
      response.on('end', () => {
        const raw = response.rawHeaders
        const every = (name: string) =>
          raw.filter((_, i) => i % 2 === 1 && raw[i - 1]?.toLowerCase() === name.toLowerCase())
        answer({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks), every })
      })
    })
    // A server that refuses a large body may answer and close before it has read everything.
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') fail(error)
    })
    request.on('close', () => setTimeout(() => fail(new Error(`${method} ${url}: closed without an answer`)), 1000).unref())
    request.end(body)
  })
}

export const json = (body: unknown): Pick<Asked, 'headers' | 'body'> => ({
  headers: { 'content-type': 'application/json', 'x-kilele': '1' },
  body: JSON.stringify(body),
})

/** Opens a WebSocket and keeps what comes; `status` is the answer to the upgrade. */
export function socket(url: string, headers: Record<string, string>): Promise<{ status: number; messages: string[]; close: () => void }> {
  return new Promise((answer, fail) => {
    const line = new WebSocket(url.replace(/^http/, 'ws'), { headers, rejectUnauthorized: false })
    const messages: string[] = []
    let status = 0
    line.on('upgrade', (response) => (status = response.statusCode ?? 0))
    line.on('message', (data) => messages.push(String(data)))
    line.on('open', () => answer({ status, messages, close: () => line.terminate() }))
    line.on('unexpected-response', (_, response) => answer({ status: response.statusCode ?? 0, messages, close: () => line.terminate() }))
    line.on('error', fail)
  })
}
