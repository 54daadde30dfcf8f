// A database that vanished: what is known of it elsewhere is reported to the server once, and named to the person.
import { request } from '../api/client'
import type { Id, Lost, Slot } from '../api/records'
import { readMeta, writeMeta, type AccountDb } from '../db/account'
import { changed } from '../db/changes'
import { newId } from '../ids'

/** Told with each sync request until one has been answered. `device`: where it happened, when the phone has another id now. */
export async function noteLoss(loss: Pick<Lost, 'device' | 'noticed_at' | 'records' | 'captures' | 'sealed'>): Promise<void> {
  if (await readMeta('loss')) return
  await writeMeta('loss', { id: newId(), ...loss })
}

/** The names are gone with the database: the server opens those that were sealed to it, and its ledger has the photos. */
export async function unreported(db: AccountDb): Promise<Lost[]> {
  const loss = await readMeta('loss', db)
  if (!loss || loss.reported) return []
  const { reported: _reported, ...known } = loss
  return [{ sealed: [], ...known, last_sync_at: null, drafts: 0, items: [] }]
}

export async function reported(db: AccountDb): Promise<void> {
  const loss = await readMeta('loss', db)
  if (!loss || loss.reported) return
  await writeMeta('loss', { ...loss, reported: true }, db)
  changed(['meta'])
}

export interface Missing {
  slot: Slot
  captured_at: number
}

interface Ledger {
  devices: { id: Id; missing: Missing[]; losses: { id: Id; items: Lost['items'] }[] }[]
}

/** What the server knows of a loss: its names, and photos that were taken on that phone and never arrived. */
export async function toldOf(loss: Id, device?: Id): Promise<{ names: string[]; missing: Missing[] }> {
  const { devices } = await request<Ledger>('/api/devices')
  const items = devices.flatMap(({ losses }) => losses).find(({ id }) => id === loss)?.items ?? []
  return { names: items.map(({ what }) => what), missing: devices.find(({ id }) => id === device)?.missing ?? [] }
}
