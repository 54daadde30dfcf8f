// What the engine is doing, told to every tab.
import { broadcast } from '../db/changes'

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
  now = { ...now, ...progress }
  broadcast({ type: 'status', status: progress })
}

/** Said again for a tab that opened later; also the words for what is being sent. */
export const reported = (): Partial<Progress> => now

export function heard(progress: Partial<Progress>): void {
  now = { ...now, ...progress }
}
