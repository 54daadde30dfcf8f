// What the engine is doing, told to every tab.
import { broadcast, changed } from '../db/changes'

export type Phase = 'idle' | 'records' | 'photos' | 'waiting'

export interface Progress {
  phase: Phase
  syncing: boolean
  signedIn: boolean
  retryAt: number | null
  /** Code and English sentence of the last failure. */
  error: { code: string; message: string } | null
  lastSyncAt: number | null
  clockOffset: number
  /** Commands in the request under way, or the photo. */
  inFlight: string[]
}

let now: Partial<Progress> = {}

export function report(progress: Partial<Progress>): void {
  const flying = progress.inFlight && String(progress.inFlight) !== String(now.inFlight ?? [])
  now = { ...now, ...progress }
  broadcast({ type: 'status', status: progress })
  // What is under way is part of where a record or a photo is.
  if (flying) changed(['outbox', 'captures'])
}

/** Said again for a tab that opened later; also the words for what is being sent. */
export const reported = (): Partial<Progress> => now

export function heard(progress: Partial<Progress>): void {
  now = { ...now, ...progress }
}
