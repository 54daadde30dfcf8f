// Commands that the server refused: kept with the reason until a person retries, edits or drops them.
import type { Id } from '../api/records'
import { now } from '../clock'
import { database, transact, type Tx } from '../db/account'
import { broadcast, changed } from '../db/changes'
import type { Attention, WaitingItem } from '../db/schema'
import { newId } from '../ids'
import { rebase } from './rebase'
import { parseKey } from './touches'
import type { Command } from '../api/records'
import { sealCommand } from '../vault/parcel'

export type { Attention }

export async function attention(): Promise<Attention[]> {
  return (await database().getAll('attention')).sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1))
}

/**
 * `retry` sends it again as a new command, `edit` opens the form it came from again (and answers with the draft's id, or
 * null when it came from no form), `discard` drops it with its photos.
 */
export async function resolveAttention(id: Id, how: 'retry' | 'edit' | 'discard'): Promise<Id | null> {
  let draft: Id | null = null
  let keys: string[] = []
  const before = how === 'retry' ? await database().get('attention', id) : undefined
  // Under a new id: the server answers an id for ever as it first did.
  const renewed = before ? ({ ...before.command, id: newId() } as Command) : null
  const item = renewed && (await sealCommand(renewed))
  await transact(['records', 'outbox', 'items', 'captures', 'blobs', 'drafts', 'attention'], 'strict', async (tx) => {
    const refused = await tx.objectStore('attention').get(id)
    if (!refused || (how === 'edit' && !refused.draft)) return
    keys = refused.records
    await tx.objectStore('attention').delete(id)
    if (renewed) await again(tx, refused, renewed, item)
    else if (how === 'edit') draft = await reopen(tx, refused)
    else await dropPhotos(tx, refused.captures)
    await rebase(tx, keys)
  })
  changed(['outbox', 'captures', 'drafts', 'attention', ...keys.map((key) => `records:${parseKey(key)[0]}`)], keys)
  broadcast({ type: 'wake' })
  return draft
}

async function again(
  tx: Tx, { by, records, captures, draft }: Attention, renewed: Command, item: WaitingItem | null,
): Promise<void> {
  const size = JSON.stringify(renewed).length
  await tx.objectStore('outbox').add({ id: renewed.id, command: renewed, by, records, captures, draft, size, done: false })
  if (item) await tx.objectStore('items').put(item)
  await hand(tx, captures, { command: renewed.id, draft: null })
}

async function reopen(tx: Tx, { captures, draft }: Attention): Promise<Id> {
  await tx.objectStore('drafts').put({ ...draft!, captures, updated_at: now() })
  await hand(tx, captures, { command: null, draft: draft!.id })
  return draft!.id
}

async function hand(tx: Tx, captures: Id[], to: { command: Id | null; draft: Id | null }): Promise<void> {
  for (const id of captures) {
    const found = await tx.objectStore('captures').get(id)
    if (!found || found.state === 'acknowledged') continue
    await tx.objectStore('captures').put({
      ...found, ...to, state: to.draft ? 'draft' : 'queued', upload: null, offset: 0, restarts: 0, error: null,
    })
  }
}

async function dropPhotos(tx: Tx, captures: Id[]): Promise<void> {
  for (const id of captures) {
    await tx.objectStore('captures').delete(id)
    await tx.objectStore('blobs').delete(id)
  }
}
