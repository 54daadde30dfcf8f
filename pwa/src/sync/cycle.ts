// One turn of the engine: records first, then photos, then the receipts for them. Runs in a tab or in the worker.
import { Problem } from '../api/problem'
import { readMeta, type AccountDb } from '../db/account'
import { deliverPhotos } from './photos'
import { exchange, newCycle, type Cycle } from './exchange'
import { letGo } from './refill'
import { sealMissing } from '../vault/reseal'
import { report } from './report'

/** More turns than any real backlog needs; a server that never says "enough" must not drain the battery. */
const MOST_TURNS = 2_000

/** Says whether something is left that another turn may deliver. */
export async function runCycle(db: AccountDb, device: string): Promise<boolean> {
  const cycle = newCycle(device)
  await sealMissing(db)
  await records(db, cycle)
  // The first contact may have brought the server's key.
  await sealMissing(db)
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const delivered = await deliverPhotos(db, () => unsent(db, cycle))
    const more = await unsent(db, cycle)
    if (delivered === 0 && !more) break
    await records(db, cycle)
  }
  // Said when everything is delivered: what this version wrote, no later one should have to send.
  if (cycle.tooOld) throw new Problem('app_too_old', 'This version of the app is too old')
  await prune(db)
  await letGo(db, Date.now() + (((await readMeta('clockOffset', db)) as number | undefined) ?? 0))
  const undelivered = (await db.getAllFromIndex('captures', 'state', 'queued')).some(({ error }) => error)
  return cycle.parked.size > 0 || undelivered
}

async function records(db: AccountDb, cycle: Cycle): Promise<void> {
  report({ phase: 'records' })
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    if (!(await exchange(db, cycle))) return
  }
}

async function unsent(db: AccountDb, cycle: Cycle): Promise<boolean> {
  return (await db.getAll('outbox')).some(({ id, done }) => !done && !cycle.parked.has(id))
}

const KEEP_RECEIPTS = 30 * 86_400_000

/** Receipts are shown for a month. */
async function prune(db: AccountDb): Promise<void> {
  const old = (await db.getAllFromIndex('captures', 'state', 'acknowledged'))
    .filter(({ captured_at }) => captured_at < Date.now() - KEEP_RECEIPTS)
  for (const { id } of old) await db.delete('captures', id)
}
