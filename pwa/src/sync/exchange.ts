// One round trip with the server: push what waits, take in what is new.
import { Problem } from '../api/problem'
import { request } from '../api/client'
import type { Announces, Held, Stats, SyncAnswer, SyncRequest } from '../api/records'
import { now, setClockOffset } from '../clock'
import { transact, type AccountDb } from '../db/account'
import { changed } from '../db/changes'
import type { Waiting } from '../db/schema'
import { refuse, take } from './answer'
import { choose, held, MOST_COMMANDS } from './batch'
import { rebase } from './rebase'
import { reported, unreported } from '../vault/losses'
import { sealTo } from '../vault/parcel'
import { report } from './report'

export const SCHEMA = 1
const TIMEOUT = 90_000

/** Statuses that say "not this request", rather than "not now". */
const BROKEN = new Set([400, 409, 413, 415, 422, 500])

/** What one cycle remembers: commands the server broke over, and how many it takes at once. */
export interface Cycle {
  device: string
  parked: Set<string>
  most: number
  /** Commands parked in a row: when several break, it is the server and not they. */
  broken: number
  /** The server sends nothing more to this version of the app, and still takes all that it has. */
  tooOld: boolean
}

export const newCycle = (device: string): Cycle =>
  ({ device, parked: new Set(), most: MOST_COMMANDS, broken: 0, tooOld: false })

/** Says whether to call again at once. */
export async function exchange(db: AccountDb, cycle: Cycle): Promise<boolean> {
  const batch = choose(await db.getAll('outbox'), cycle.parked, cycle.most)
  report({ inFlight: batch.map(({ id }) => id) })
  let answer: SyncAnswer & Announces
  try {
    answer = await request<SyncAnswer & Announces>('/api/sync', { json: await body(db, cycle, batch), pack: true, timeout: TIMEOUT })
  } catch (error) {
    if (!(error instanceof Problem) || !BROKEN.has(error.status ?? 0) || batch.length === 0) throw error
    return narrow(db, cycle, batch, error)
  } finally {
    report({ inFlight: [] })
  }
  cycle.broken = 0
  const at = now()
  if (!Array.isArray(answer.results) || typeof answer.feeds !== 'object') {
    throw new Problem('offline', 'Something else answered in the server’s place')
  }
  await take(db, answer, at)
  await reported(db)
  if (answer.outbox_key) sealTo(answer.outbox_key)
  setClockOffset(answer.server_time - at)
  report({ lastSyncAt: at, clockOffset: answer.server_time - at, error: null })
  if (answer.min_schema > SCHEMA || answer.code === 'update_required') cycle.tooOld = true
  // The server breaks off at a command that it cannot deal with now: that one waits, the ones after it are sent again.
  const answered = new Set(answer.results.map(({ id }) => id))
  const brokenOff = batch.find(({ id }) => !answered.has(id))
  // After a restoration it breaks off before the first: what it lost goes ahead of what it never had.
  if (brokenOff && !answer.reset?.length) cycle.parked.add(brokenOff.id)
  return answer.more || choose(await db.getAll('outbox'), cycle.parked, 1).length > 0
}

async function stats(db: AccountDb, have: Held[]): Promise<Stats> {
  const [room, persisted, waiting, offset] = await Promise.all([
    navigator.storage?.estimate?.().catch(() => null),
    navigator.storage?.persisted?.().catch(() => null),
    db.getAll('outbox'),
    db.get('meta', 'clockOffset') as Promise<number | undefined>,
  ])
  const unsent = waiting.filter(({ done }) => !done)
  return {
    captures_waiting: have.length,
    records_waiting: unsent.length,
    storage_bytes: have.reduce((sum, { bytes }) => sum + bytes, 0),
    version: __VERSION__,
    storage_used: room?.usage ?? null,
    storage_quota: room?.quota ?? null,
    persisted: persisted ?? null,
    oldest_waiting_at: unsent[0]?.command.at ?? null,
    clock_offset: offset === undefined ? null : Math.round(offset),
  }
}

async function body(db: AccountDb, cycle: Cycle, batch: Waiting[]): Promise<SyncRequest> {
  const cursors = db.transaction(['cursors']).objectStore('cursors')
  const [feeds, revisions] = await Promise.all([cursors.getAllKeys(), cursors.getAll()])
  const have = await held(db)
  const lost = await unreported(db)
  return {
    device: cycle.device,
    schema: SCHEMA,
    cursors: Object.fromEntries(feeds.map((feed, i) => [feed, revisions[i]!])),
    have,
    commands: batch.map(({ command }) => command),
    ...(lost.length ? { lost } : {}),
    stats: await stats(db, have),
  }
}

/** Finds the command that breaks the request by sending fewer, then takes that one out of the others' way. */
async function narrow(db: AccountDb, cycle: Cycle, batch: Waiting[], problem: Problem): Promise<boolean> {
  if (batch.length > 1) {
    cycle.most = Math.ceil(batch.length / 2)
    return true
  }
  const [culprit] = batch as [Waiting]
  cycle.most = MOST_COMMANDS
  if (problem.status === 500) {
    if (++cycle.broken > 3) throw problem
    cycle.parked.add(culprit.id)
    return true
  }
  const effects = { dirty: new Set<string>(), tags: new Set(['outbox']), keys: new Set<string>() }
  await transact(['outbox', 'items', 'attention', 'records'], 'strict', async (tx) => {
    await refuse(tx, culprit, problem, now(), effects)
    await rebase(tx, effects.dirty)
  }, db)
  changed([...effects.tags, 'records'], [...effects.dirty])
  return true
}
