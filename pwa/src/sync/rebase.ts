// Shows records as they will be: the server's last word with every waiting command applied over it.
import type { Tx } from '../db/account'
import { row, type Waiting } from '../db/schema'
import { reduce } from './reducers'
import { parseKey } from './touches'

/** Works out the named records again; the feed is only needed for records the phone made itself. */
export async function rebase(tx: Tx, keys: Iterable<string>): Promise<void> {
  const records = tx.objectStore('records')
  const outbox = tx.objectStore('outbox')
  for (const key of keys) {
    const [kind, id] = parseKey(key)
    const [found, waiting] = await Promise.all([
      records.get([kind, id]),
      // The index keeps equal keys in the order of their primary key: the order of giving.
      outbox.index('records').getAll(key),
    ])
    const base = !found ? null : found.base === undefined ? found.body : found.base
    if (waiting.length === 0) {
      if (base) await records.put(row(kind, id, found!.feed, base))
      else if (found) await records.delete([kind, id])
      continue
    }
    const body = waiting.reduce((before, { command, by }) => reduce(command, kind, id, before, by), base)
    if (!body && !base) {
      if (found) await records.delete([kind, id])
      continue
    }
    const feed = found?.feed ?? feedOf(waiting[0]!, kind)
    await records.put({ ...row(kind, id, feed, body), base })
  }
}

function feedOf(waiting: Waiting, kind: string): string {
  return kind === 'inbox' ? waiting.by.member : (waiting.by.place ?? '')
}
