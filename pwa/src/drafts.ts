// Keeps unfinished forms on disk while they are typed: every input is durable within 150 ms.
import { asProblem } from './api/problem'
import type { Id } from './api/records'
import { plain } from './bytes'
import { withRoom } from './captures/room'
import { now } from './clock'
import { database, hasAccount, transact, type Tx } from './db/account'
import { changed } from './db/changes'
import type { Draft } from './db/schema'
import { draftError } from './draft-error.svelte'

export type { Draft }
export { draftError }

/** Writing itself takes some of the 150 ms. */
const QUIET = 80

export interface DraftInput {
  id: Id
  kind: Draft['kind']
  /** The record it will become; the draft's own id unless said. */
  subject?: Id
  household?: Id | null
  value: unknown
}

const waiting = new Map<Id, DraftInput>()
const closed = new Set<Id>()
let timer: ReturnType<typeof setTimeout> | undefined
let writing: Promise<void> = Promise.resolve()

/** Call at every input. `value` is copied now, so a Svelte state may be handed in. */
export function putDraft(draft: DraftInput): void {
  if (closed.has(draft.id)) return
  waiting.set(draft.id, { ...draft, value: plain(draft.value) })
  // The first input starts the clock and later ones do not put it off: typing on and on still saves.
  timer ??= setTimeout(() => void flushDrafts(), QUIET)
}

/** Whether everything typed so far is on disk. */
export const saved = (id: Id): boolean => !waiting.has(id)

export function flushDrafts(): Promise<void> {
  clearTimeout(timer)
  timer = undefined
  if (waiting.size === 0) return writing
  const batch = [...waiting.values()]
  writing = writing.then(() => write(batch))
  return writing
}

async function write(batch: DraftInput[]): Promise<void> {
  if (!hasAccount()) return
  try {
    await withRoom(() => transact(['drafts', 'captures'], 'strict', async (tx) => {
      for (const { id, kind, subject, household, value } of batch) {
        if (closed.has(id)) continue
        const before = await tx.objectStore('drafts').get(id)
        const captures = await tx.objectStore('captures').index('draft').getAllKeys(id)
        await tx.objectStore('drafts').put({
          id,
          kind,
          subject: subject ?? before?.subject ?? id,
          household: household ?? before?.household ?? null,
          value,
          captures,
          created_at: before?.created_at ?? now(),
          updated_at: now(),
        })
      }
    }))
    // Typed again meanwhile: that newer value still waits.
    for (const draft of batch) if (waiting.get(draft.id) === draft) waiting.delete(draft.id)
    draftError.current = null
    changed(['drafts'])
  } catch (error) {
    draftError.current = asProblem(error)
    timer ??= setTimeout(() => void flushDrafts(), 2_000)
  }
}

export async function draft(id: Id): Promise<Draft | null> {
  const found = (await database().get('drafts', id)) ?? null
  if (found) found.captures = await database().getAllKeysFromIndex('captures', 'draft', id)
  return found
}

/** Latest first. */
export async function drafts(): Promise<Draft[]> {
  return (await database().getAll('drafts')).sort((a, b) => b.updated_at - a.updated_at)
}

/** Before a command takes the draft over: nothing typed late may bring it back. */
export async function closeDraft(id: Id): Promise<void> {
  closed.add(id)
  waiting.delete(id)
  await writing
}

/** A form that is being left may still speak for a moment; after that the same id may be a draft again. */
export function reopenDraft(id: Id): void {
  setTimeout(() => closed.delete(id), 1_000)
}

/** Removes a draft and the photos that it did not hand on. */
export async function dropDraft(tx: Tx, draft: Id): Promise<void> {
  await tx.objectStore('drafts').delete(draft)
  for (const capture of await tx.objectStore('captures').index('draft').getAllKeys(draft)) {
    await tx.objectStore('captures').delete(capture)
    await tx.objectStore('blobs').delete(capture)
  }
}

/** Throws the draft and its photos away. */
export async function deleteDraft(id: Id): Promise<void> {
  await closeDraft(id)
  await transact(['drafts', 'captures', 'blobs'], 'strict', (tx) => dropDraft(tx, id))
  reopenDraft(id)
  changed(['drafts', 'captures'])
}

export function watchPage(): void {
  addEventListener('pagehide', () => void flushDrafts())
  document.addEventListener('visibilitychange', () => void flushDrafts())
}
