// Sends every request of the app: own header, time limit, problems as `Problem`, one refresh after a 401.
import { Problem } from './problem'

export interface Call {
  method?: string
  json?: unknown
  /** Send the JSON compressed when it is large. */
  pack?: boolean
  body?: BodyInit
  headers?: Record<string, string>
  timeout?: number
  /** Statuses that the caller reads itself. */
  expect?: number[]
  /** False for the calls that make a session. */
  signedIn?: boolean
}

const WORTH_PACKING = 1_024

type Refresh = (seenAt: number) => Promise<void>
let refresh: Refresh | null = null

/** The session says how an expired one is renewed. */
export function onExpired(renew: Refresh | null): void {
  refresh = renew
}

let member: string | null = null

/** In whose name requests go: the browser's cookies may be another's who uses this phone. */
export function sendAs(id: string | null): void {
  member = id
}

/** The answer itself, for callers that need its headers. */
export async function send(path: string, call: Call = {}): Promise<Response> {
  const startedAt = Date.now()
  const answer = await attempt(path, call)
  if (answer.status !== 401 || call.signedIn === false || !refresh) return checked(answer, call)
  await refresh(startedAt)
  return checked(await attempt(path, call), call)
}

export async function request<T>(path: string, call: Call = {}): Promise<T> {
  const answer = await send(path, call)
  if (answer.status === 204) return undefined as T
  try {
    return (await answer.json()) as T
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') throw tooSlow()
    // A cut answer, or another program that answers in the server's place.
    throw new Problem('offline', 'The answer was not complete')
  }
}

async function attempt(path: string, call: Call): Promise<Response> {
  const headers: Record<string, string> = { 'X-Kilele': '1', ...call.headers }
  if (member && call.signedIn !== false) headers['Kilele-Member'] = member
  let body = call.body
  if (call.json !== undefined) {
    headers['Content-Type'] = 'application/json'
    const text = JSON.stringify(call.json)
    const packed = call.pack && text.length > WORTH_PACKING ? await gzip(text) : null
    if (packed) headers['Content-Encoding'] = 'gzip'
    body = packed ?? text
  }
  try {
    return await fetch(path, {
      method: call.method ?? (body === undefined ? 'GET' : 'POST'),
      headers,
      body,
      credentials: 'same-origin',
      cache: 'no-store',
      signal: AbortSignal.timeout(call.timeout ?? 30_000),
    })
  } catch (error) {
    if ((error as Error).name === 'TimeoutError') throw tooSlow()
    throw new Problem('offline', error instanceof Error ? error.message : 'No connection')
  }
}

/** Null where the browser cannot. */
async function gzip(text: string): Promise<ArrayBuffer | null> {
  if (typeof CompressionStream === 'undefined') return null
  return new Response(new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer()
}

const tooSlow = () => new Problem('timeout', 'The server did not answer in time')

async function checked(answer: Response, call: Call): Promise<Response> {
  if (answer.ok || call.expect?.includes(answer.status)) return answer
  const said = (await answer.json().catch(() => ({}))) as Partial<Problem> & { code?: string }
  const retryAfter = Number(answer.headers.get('Retry-After')) || undefined
  throw new Problem(said.code ?? `http_${answer.status}`, said.message ?? answer.statusText, {
    status: answer.status,
    field: said.field,
    details: said.details,
    retryAfter,
  })
}
