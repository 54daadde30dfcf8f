// Seals to the server what was kept before its key was known: by a first version of the app, or before the first contact.
import { transact, type AccountDb } from '../db/account'
import { sealCommand, sealPicture, sealsTo } from './parcel'

export async function sealMissing(db: AccountDb): Promise<void> {
  if (!sealsTo()) return
  const [outbox, known, captures] = await Promise.all([db.getAll('outbox'), db.getAllKeys('items'), db.getAll('captures')])
  const sealed = new Set(known)
  for (const { id, seq, command, done } of outbox) {
    if (done || sealed.has(id)) continue
    const item = await sealCommand(command)
    if (!item) return
    await transact(['outbox', 'items'], 'relaxed', async (tx) => {
      // Answered meanwhile: then nothing is left to deliver.
      const waiting = await tx.objectStore('outbox').get(seq!)
      if (waiting && !waiting.done) await tx.objectStore('items').put(item)
    }, db)
  }
  for (const photo of captures) {
    // An upload that was begun in clear ends in clear.
    if (photo.parcel || photo.upload || (photo.state !== 'draft' && photo.state !== 'queued')) continue
    const parcel = await sealPicture(photo)
    if (!parcel) continue
    await transact(['captures'], 'relaxed', async (tx) => {
      const found = await tx.objectStore('captures').get(photo.id)
      if (found && !found.upload && (found.state === 'draft' || found.state === 'queued')) await tx.objectStore('captures').put({ ...found, parcel })
    }, db)
  }
}
