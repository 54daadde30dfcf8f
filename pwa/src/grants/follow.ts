// What became of commands that were given together: each waits, was done, or was refused and why.
import type { Id } from '../api/records'
import { database } from '../db/account'

export type Answer = { state: 'waiting' } | { state: 'done' } | { state: 'refused'; code: string; message: string }

export async function answersTo(ids: Id[]): Promise<Answer[]> {
  const db = database()
  return Promise.all(
    ids.map(async (id): Promise<Answer> => {
      const refused = await db.get('attention', id)
      if (refused) return { state: 'refused', code: refused.code, message: refused.message }
      return (await db.getAllFromIndex('outbox', 'id', id)).length ? { state: 'waiting' } : { state: 'done' }
    }),
  )
}

/** Until all were answered and what they did has come back. */
export async function settled(ids: Id[]): Promise<void> {
  while ((await answersTo(ids)).some(({ state }) => state === 'waiting')) await new Promise((done) => setTimeout(done, 150))
}
