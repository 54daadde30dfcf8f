// Chooses what one request carries: commands in order, within its limits, and the photos still held.
import type { Held } from '../api/records'
import type { AccountDb } from '../db/account'
import type { Waiting } from '../db/schema'

export const MOST_COMMANDS = 50
export const MOST_BYTES = 100_000
const MOST_HELD = 500

/**
 * The next commands in the order they were given. Those in `parked` wait, and so do later ones of the same records,
 * so that the order of each record is kept.
 */
export function choose(outbox: Waiting[], parked: ReadonlySet<string>, most = MOST_COMMANDS): Waiting[] {
  const blocked = new Set<string>()
  const chosen: Waiting[] = []
  let bytes = 0
  for (const waiting of outbox) {
    if (waiting.done) continue
    if (parked.has(waiting.id) || waiting.records.some((record) => blocked.has(record))) {
      for (const record of waiting.records) blocked.add(record)
      continue
    }
    if (chosen.length >= most || (chosen.length > 0 && bytes + waiting.size > MOST_BYTES)) break
    chosen.push(waiting)
    bytes += waiting.size
  }
  return chosen
}

/** The photos whose bytes this phone keeps until the server has them. */
export async function held(db: AccountDb): Promise<Held[]> {
  const all = await db.getAll('captures')
  return all
    .filter(({ state }) => state !== 'draft' && state !== 'acknowledged')
    .slice(0, MOST_HELD)
    .map(({ id, sha256, bytes, slot, subject_kind, subject, captured_at }) => ({
      id, sha256, bytes, slot, subject_kind, subject, captured_at,
    }))
}
