// Keeps room on this phone for one more photo: a photo that could not be kept is refused before it is taken, never after.
import { asProblem, Problem } from '../api/problem'
import { database, hasAccount, transact } from '../db/account'
import { dropPictures } from '../sw/names'

/** The largest photo that is kept, and what the database needs around it. */
const RESERVE = 1_500_000
const KEY = 'room'

/** Before the viewfinder opens: the bytes that the photo will need are on the disk already. */
export async function ensureRoom(): Promise<void> {
  if (await database().count('reserve')) return
  try {
    await reserve()
  } catch (error) {
    if (asProblem(error).code !== 'storage_full') throw error
    // Cached pictures go first: the server still has those.
    await dropPictures()
    await clear('spares')
    await reserve().catch((again: unknown) => {
      throw asProblem(again).code === 'storage_full' ? new Problem('no_room', 'No room for a photo') : again
    })
  }
}

/** For what must be kept: cached pictures make room, then what the server has anyway, then the reserve. */
export async function withRoom<T>(work: () => Promise<T>): Promise<T> {
  for (const makeRoom of [dropPictures, () => clear('spares'), () => clear('reserve')]) {
    try {
      return await work()
    } catch (error) {
      if (asProblem(error).code !== 'storage_full') throw error
      await makeRoom()
    }
  }
  return work()
}

function reserve(): Promise<void> {
  const bytes = new Uint8Array(RESERVE)
  // Chance does not compress: the disk really holds this much.
  for (let at = 0; at < RESERVE; at += 65_536) crypto.getRandomValues(bytes.subarray(at, Math.min(at + 65_536, RESERVE)))
  return transact(['reserve'], 'strict', async (tx) => tx.objectStore('reserve').put(bytes.buffer, KEY))
}

const clear = async (store: 'spares' | 'reserve'): Promise<void> => {
  if (hasAccount()) await transact([store], 'strict', async (tx) => tx.objectStore(store).clear())
}
