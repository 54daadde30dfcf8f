// What was delivered lately stays on the phone for a while: when the server is put back from a backup, which is older than
// that, it is delivered once more. The server knows its own by their ids, so more than it lost does no harm.
import type { SyncAnswer } from '../api/records'
import { transact, type AccountDb, type Tx } from '../db/account'
import type { CaptureMeta, Waiting } from '../db/schema'

const DAY = 86_400_000
/** Backups are made each day; the newest may be damaged, and nobody restores within the hour. */
const COMMANDS = 14 * DAY
/** Bytes are many: twice the time between two backups. */
const PICTURES = 2 * DAY

/** A command that the server took leaves the queue for here. */
export async function keepDelivered(tx: Tx, { done: _, ...waiting }: Waiting, at: number): Promise<void> {
  await tx.objectStore('delivered').put({ ...waiting, done: true, at })
}

/** A picture's bytes leave the place of those that wait for here, with the key that opens them. */
export async function keepPicture(tx: Tx, capture: CaptureMeta, at: number): Promise<void> {
  const bytes = await tx.objectStore('blobs').get(capture.id)
  await tx.objectStore('blobs').delete(capture.id)
  const { id, secret = null, parcel = null } = capture
  if (bytes) await tx.objectStore('spares').put({ id, bytes, secret, parcel, at })
}

/** The server begins feeds anew: all that is still here waits again, in the order in which it was given. */
export async function refill(tx: Tx, answer: SyncAnswer): Promise<boolean> {
  const outbox = tx.objectStore('outbox')
  // Answered before this answer, and forgotten since.
  const answered = new Set(answer.results.map(({ id }) => id))
  for (const waiting of await outbox.getAll()) {
    if (waiting.done && !answered.has(waiting.id)) await outbox.put({ ...waiting, done: false })
  }
  const delivered = (await tx.objectStore('delivered').getAll()).sort((a, b) => a.seq! - b.seq!)
  for (const { at: _, ...waiting } of delivered) await outbox.put({ ...waiting, done: false })
  await tx.objectStore('delivered').clear()
  const captures = tx.objectStore('captures')
  for (const { id, bytes, secret, parcel } of await tx.objectStore('spares').getAll()) {
    const capture = await captures.get(id)
    if (!capture) continue
    await tx.objectStore('blobs').put(bytes, id)
    await captures.put({ ...capture, state: 'queued', receipt: null, upload: null, offset: 0, restarts: 0, error: null, secret, parcel })
  }
  await tx.objectStore('spares').clear()
  return delivered.length > 0
}

/** Lets go of what is past its time. */
export async function letGo(db: AccountDb, now: number): Promise<void> {
  const commands = (await db.getAll('delivered')).filter(({ at }) => at < now - COMMANDS)
  const pictures = (await db.getAll('spares')).filter(({ at }) => at < now - PICTURES)
  if (commands.length + pictures.length === 0) return
  await transact(['delivered', 'spares'], 'relaxed', async (tx) => {
    for (const { id } of commands) await tx.objectStore('delivered').delete(id)
    for (const { id } of pictures) await tx.objectStore('spares').delete(id)
  }, db)
}
