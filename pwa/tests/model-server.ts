// A small server that keeps the wire contract, with faults on demand: what the engine is tested against.
import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import type { Capture, Command, Entry, Evidence, Household, Receipt, Result, SyncAnswer, SyncRequest, Visit } from '../src/api/records'

export type Fault = 'none' | 'lost' | 'answer_lost' | 'doubled' | 'late' | 'unavailable' | 'cut'

interface Stored {
  feed: string
  revision: number
  kind: Entry['kind']
  id: string
  body: Record<string, unknown> | null
}

interface Upload {
  evidence: string
  sha256: string
  length: number
  bytes: Buffer
}

export class ModelServer {
  readonly records = new Map<string, Stored>()
  readonly revisions = new Map<string, number>()
  readonly log = new Map<string, Result>()
  /** How often each command took effect. */
  readonly effects = new Map<string, number>()
  readonly order: string[] = []
  readonly uploads = new Map<string, Upload>()
  readonly received = new Map<string, Receipt>()
  readonly member = 'member-1'
  page = 1000
  /** Bytes of photos that reached the server, repeated ones included. */
  wire = 0
  syncs = 0
  /** The next faults, one a request. */
  faults: Fault[] = []
  /** Breaks with a 500 over this command. */
  breaksOver: (command: Command) => boolean = () => false
  /** Cuts the PATCH that would take an upload past that many bytes. */
  cutAt: number | null = null
  /** Whether what arrived of a cut chunk is kept, as the server tries to. */
  keepsParts = true
  /** What was on its way when the line broke: it crossed the wire and reached nobody. */
  lostInFlight = 0
  /** The server understands `Upload-Checksum`. */
  checks = true
  /** Wrongly named receipts, to see that nothing is dropped for them. */
  forge: ((receipt: Receipt) => Receipt) | null = null
  damage: ((bytes: Buffer) => Buffer) | null = null
  /** Feeds that the next answer begins anew. */
  resets: string[] = []
  /** Which feeds each device may read; a device that is not named reads all. */
  readonly sees = new Map<string, Set<string>>()
  /** How often a device was told that a feed is not its own any more. */
  taken = 0
  /** It takes what this version of the app sends, and answers it nothing else. */
  newerApps = false
  /** It was put back from a backup, and takes nothing new before the next answer has said so. */
  private restored = false
  private late: (() => void)[] = []
  private made = 0

  install(): void {
    globalThis.fetch = ((path: string, init: RequestInit) => this.fetch(path, init)) as typeof fetch
  }

  put(feed: string, kind: Entry['kind'], id: string, body: Record<string, unknown> | null): number {
    const revision = (this.revisions.get(feed) ?? 0) + 1
    this.revisions.set(feed, revision)
    this.records.set(`${feed}/${kind}:${id}`, { feed, revision, kind, id, body: body && { ...body, revision } })
    return revision
  }

  find<T>(kind: Entry['kind'], id: string): (T & { revision: number }) | null {
    for (const stored of this.records.values()) {
      if (stored.kind === kind && stored.id === id && stored.body) return stored.body as T & { revision: number }
    }
    return null
  }

  private async fetch(path: string, init: RequestInit): Promise<Response> {
    const fault = this.faults.shift() ?? 'none'
    if (fault === 'lost') throw new TypeError('network')
    if (fault === 'unavailable') return problem(503, 'overloaded')
    for (const then of this.late.splice(0)) then()
    if (fault === 'late') {
      // Arrives only while a later request is under way.
      this.late.push(() => void this.handle(path, init))
      throw new TypeError('network')
    }
    const answer = this.handle(path, init)
    if (fault === 'doubled') return this.handle(path, init)
    if (fault === 'answer_lost') throw new TypeError('network')
    if (fault === 'cut') return new Response((await answer.text()).slice(0, 20), { status: 200 })
    return answer
  }

  private handle(path: string, init: RequestInit): Response {
    if (path === '/api/sync') return this.sync(JSON.parse(textOf(init)) as SyncRequest)
    if (path.startsWith('/api/uploads')) return this.tus(path, init)
    return problem(404, 'not_found')
  }

  /** All that the server holds, as a backup has it. */
  backup(): () => void {
    const held = [this.records, this.revisions, this.log, this.effects, this.uploads, this.received] as Map<string, unknown>[]
    const copies = held.map((map) => new Map([...map].map(([key, value]) => [key, structuredClone(value)])))
    // Put back, its feeds begin anew for every phone.
    return () => {
      const feeds = [...this.revisions.keys()]
      for (const [i, map] of held.entries()) {
        map.clear()
        for (const [key, value] of copies[i]!) map.set(key, value)
      }
      this.resets = feeds
      this.restored = true
    }
  }

  private sync(request: SyncRequest): Response {
    this.syncs++
    if (request.commands.length > 50) return problem(400, 'too_many_commands')
    const results: Result[] = []
    for (const command of this.restored ? [] : request.commands) {
      if (!this.breaksOver(command)) results.push(this.run(command))
      // What is done is answered; the first one fails the request.
      else if (results.length > 0) break
      else return problem(500, 'internal')
    }
    const feeds: SyncAnswer['feeds'] = {}
    const reset = this.resets.splice(0)
    const mine = this.sees.get(request.device)
    const gone = Object.keys(request.cursors).filter((feed) => mine && !mine.has(feed))
    this.taken += gone.length
    this.restored = false
    let room = this.page
    let more = false
    const readable = [...this.revisions.keys()].filter((feed) => !mine || mine.has(feed)).sort()
    for (const feed of this.newerApps ? [] : readable) {
      const from = reset.includes(feed) ? 0 : (request.cursors[feed] ?? 0)
      const news = [...this.records.values()]
        .filter((stored) => stored.feed === feed && stored.revision > from)
        .sort((a, b) => a.revision - b.revision)
      const part = news.slice(0, room)
      room -= part.length
      const cut = part.length < news.length
      more ||= cut
      if (part.length === 0) continue
      feeds[feed] = {
        entries: part.map(({ kind, id, body }) => (body ? { kind, id, body: body as never } : { kind, id, deleted: true })),
        revision: part.at(-1)!.revision,
        more: cut,
      }
    }
    const acknowledged: Receipt[] = []
    const want: string[] = []
    const unknown: string[] = []
    for (const { id } of request.have) {
      const receipt = this.received.get(id)
      if (receipt) acknowledged.push(this.forge ? this.forge(receipt) : receipt)
      else if (this.find('evidence', id)) want.push(id)
      else unknown.push(id)
    }
    const answer: SyncAnswer = {
      results, feeds, gone, reset, acknowledged, want, unknown, server_time: Date.now(), more,
      min_schema: this.newerApps ? 2 : 1, code: this.newerApps ? 'update_required' : null, outbox_key: { id: '', public: '' },
    }
    return json(200, answer)
  }

  private run(command: Command): Result {
    const known = this.log.get(command.id)
    if (known) return { id: command.id, status: 'duplicate', first: known }
    const result = { id: command.id, ...this.apply(command) } as Result
    this.log.set(command.id, result)
    if (result.status !== 'rejected') {
      this.effects.set(command.id, (this.effects.get(command.id) ?? 0) + 1)
      this.order.push(command.id)
    }
    return result
  }

  private apply(command: Command): Omit<Result, 'id'> {
    const refuse = (code: string) => ({ status: 'rejected' as const, code, message: code })
    switch (command.kind) {
      case 'household.register': {
        const { household, evidence } = command.body
        if (household.head_name === 'REFUSED') return refuse('invalid')
        if (this.find('household', household.id)) return refuse('exists')
        const revision = this.put(household.place, 'household', household.id, {
          ...household, number: `HH-${++this.made}`, last_visit_at: null, registered_by: this.member,
        })
        this.announce(household.place, 'household', household.id, evidence)
        return { status: 'applied', record: { id: household.id, revision } }
      }
      case 'household.update': {
        const household = this.find<Household>('household', command.body.id)
        if (!household) return refuse('not_found')
        const after: Record<string, unknown> = { ...household }
        let conflict = false
        for (const [field, { was, now }] of Object.entries(command.body.changes)) {
          if (now === 'REFUSED') return refuse('invalid')
          if (JSON.stringify(after[field] ?? null) === JSON.stringify(was ?? null)) after[field] = now
          else if (JSON.stringify(after[field]) !== JSON.stringify(now)) conflict = true
        }
        const revision = this.put(household.place, 'household', household.id, after)
        return { status: conflict ? 'conflict' : 'applied', record: { id: household.id, revision } }
      }
      case 'visit.submit': {
        const { evidence, signature: _, ...fields } = command.body
        const household = this.find<Household>('household', fields.household)
        if (!household) return refuse('not_found')
        const before = this.find<Visit>('visit', fields.id)
        if (before && !['planned', 'in_progress', 'returned'].includes(before.state)) return refuse('wrong_state')
        const revision = this.put(household.place, 'visit', fields.id, {
          ...before, ...fields, place: household.place, mentor: this.member, state: 'submitted',
          number: before?.number ?? `VIS-${++this.made}`, round: (before?.round ?? 0) + 1, submitted_at: 5, created_at: 5,
        })
        this.announce(household.place, 'visit', fields.id, evidence)
        this.put(household.place, 'household', household.id, { ...household, last_visit_at: fields.started_at })
        return { status: 'applied', record: { id: fields.id, revision } }
      }
      default:
        return refuse('unsupported')
    }
  }

  private announce(feed: string, subject_kind: Evidence['subject_kind'], subject: string, captures: Capture[]): void {
    for (const capture of captures) {
      this.put(feed, 'evidence', capture.id, { ...capture, subject_kind, subject, state: 'announced' })
    }
  }

  private tus(path: string, init: RequestInit): Response {
    const headers = init.headers as Record<string, string>
    if (init.method === 'POST') return this.create(headers)
    const upload = this.uploads.get(path)
    if (!upload) return problem(404, 'not_found')
    if (init.method === 'HEAD') return new Response(null, { status: 200, headers: { 'Upload-Offset': String(upload.bytes.length) } })
    if (Number(headers['Upload-Offset']) !== upload.bytes.length) return problem(409, 'offset_mismatch')
    let body = Buffer.from(init.body as ArrayBuffer)
    if (this.cutAt !== null && upload.bytes.length + body.length > this.cutAt) {
      const part = body.subarray(0, Math.max(0, this.cutAt - upload.bytes.length))
      this.cutAt = null
      this.wire += part.length
      // A chunk that carries its hash counts whole or not at all.
      const kept = headers['Upload-Checksum'] ? 0 : Math.max(0, part.length - this.lostInFlight)
      if (this.keepsParts) upload.bytes = Buffer.concat([upload.bytes, part.subarray(0, kept)])
      throw new TypeError('network')
    }
    this.wire += body.length
    if (this.damage) {
      body = Buffer.from(this.damage(body))
      this.damage = null
    }
    const [, hash] = this.checks ? (headers['Upload-Checksum']?.split(' ') ?? []) : []
    if (hash && createHash('sha256').update(body).digest('base64') !== hash) return problem(460, 'checksum_mismatch')
    upload.bytes = Buffer.concat([upload.bytes, body])
    if (upload.bytes.length === upload.length) {
      this.uploads.delete(path)
      const sha256 = createHash('sha256').update(upload.bytes).digest('hex')
      if (sha256 !== upload.sha256) return problem(460, 'checksum_mismatch')
      this.received.set(upload.evidence, { id: upload.evidence, sha256, bytes: upload.length, stored_at: 1 })
    }
    return new Response(null, { status: 204, headers: { 'Upload-Offset': String(upload.bytes.length) } })
  }

  private create(headers: Record<string, string>): Response {
    const metadata = Object.fromEntries(headers['Upload-Metadata']!.split(',').map((pair) => pair.split(' ')))
    const evidence = Buffer.from(metadata.evidence!, 'base64').toString()
    const sha256 = Buffer.from(metadata.sha256!, 'base64').toString()
    if (!this.find('evidence', evidence)) return problem(404, 'evidence_unknown')
    const path = `/api/uploads/${++this.made}`
    this.uploads.set(path, { evidence, sha256, length: Number(headers['Upload-Length']), bytes: Buffer.alloc(0) })
    return new Response(null, { status: 201, headers: { Location: path } })
  }
}

function textOf({ body, headers }: RequestInit): string {
  const packed = (headers as Record<string, string>)['Content-Encoding'] === 'gzip'
  return packed ? gunzipSync(Buffer.from(body as ArrayBuffer)).toString() : (body as string)
}

const json = (status: number, body: unknown) =>
  new Response(JSON.stringify(body), { status, headers: { 'Content-Type': 'application/json' } })
const problem = (status: number, code: string) => json(status, { code, message: code })
