// The server's API as a program sees it: bearer tokens, no cookies. Stories look here for what really arrived.
import { randomUUID } from 'node:crypto'

export const PASSWORD = 'kilele-demo-2026'
/** The demo's people, and those that `harness/office.ts` brings in. */
export type Login = 'amina.mentor' | 'juma.mentor' | 'wanjiku.mentor' | 'grace.supervisor' | 'admin.demo' | 'esther.manager' | 'peter.approver'

// Only the fields that stories look at.
export interface Evidence {
  id: string
  subject: string
  slot: string
  state: string
  sha256: string
  bytes: number
  superseded_by: string | null
}
export interface Visit {
  id: string
  household: string
  state: string
  revision: number
  round: number
  note: string | null
  observations: string
  started_at: number | null
  submitted_at: number | null
  lat: number | null
  no_gps_reason: string | null
}
export interface Household {
  id: string
  number: string | null
  place: string
  head_name: string
  phone: string | null
  national_id: string | null
}
interface Entry {
  kind: string
  id: string
  deleted?: boolean
  body?: unknown
}

export class Api {
  constructor(
    readonly url: string,
    readonly token: string,
    readonly device: string,
    readonly member: string,
  ) {}

  async request(method: string, path: string, body?: unknown, more: Record<string, string> = {}): Promise<Response> {
    const json: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
    return fetch(this.url + path, {
      method,
      headers: { authorization: `Bearer ${this.token}`, ...json, ...more },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  }

  async get<T>(path: string): Promise<T> {
    const answer = await this.request('GET', path)
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return (await answer.json()) as T
  }

  /** One command, which must be taken. */
  async command(kind: string, body: unknown): Promise<void> {
    const answer = await this.request('POST', '/api/commands', { id: uuid7(), kind, at: Date.now(), body })
    if (!answer.ok) throw new Error(`${kind}: ${answer.status} ${await answer.text()}`)
  }

  /** Every record this account may see, as a first sync brings it. */
  async records(): Promise<Entry[]> {
    const cursors: Record<string, number> = {}
    const records = new Map<string, Entry>()
    for (let more = true; more; ) {
      const answer = await this.request('POST', '/api/sync', { device: this.device, schema: 1, cursors, have: [], commands: [] })
      if (!answer.ok) throw new Error(`sync: ${answer.status} ${await answer.text()}`)
      const pulled = (await answer.json()) as {
        feeds: Record<string, { entries: Entry[]; revision: number }>
        more: boolean
      }
      for (const [feed, { entries, revision }] of Object.entries(pulled.feeds)) {
        cursors[feed] = revision
        for (const entry of entries) records.set(`${entry.kind} ${entry.id}`, entry)
      }
      more = pulled.more
    }
    return [...records.values()].filter((entry) => !entry.deleted)
  }

  async all<T>(kind: string): Promise<T[]> {
    return (await this.records()).filter((entry) => entry.kind === kind).map((entry) => entry.body as T)
  }

  evidence = (): Promise<Evidence[]> => this.all<Evidence>('evidence')
  visits = (): Promise<Visit[]> => this.all<Visit>('visit')
  households = (): Promise<Household[]> => this.all<Household>('household')
}

export async function signIn(url: string, login: Login, password = PASSWORD): Promise<Api> {
  const device = uuid7()
  const answer = await fetch(`${url}/api/sessions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login, password, device: { id: device, name: 'Story', public_key: null }, tokens: true }),
  })
  if (!answer.ok) throw new Error(`sign-in as ${login}: ${answer.status} ${await answer.text()}`)
  const view = (await answer.json()) as { access_token: string; member: { id: string } }
  return new Api(url, view.access_token, device, view.member.id)
}

/** Ids are made where the record is made, and sort by time. */
export function uuid7(): string {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`
}
