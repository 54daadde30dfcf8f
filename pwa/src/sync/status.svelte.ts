// What is on this phone and not yet on the server, as state for every view.
import { untrack } from 'svelte'
import { Problem } from '../api/problem'
import { database, hasAccount } from '../db/account'
import { hear } from '../db/changes'
import { watch } from '../db/watch'
import { heard, type Phase, type Progress } from './report'

export interface Status {
  online: boolean
  syncing: boolean
  signedIn: boolean
  lastSyncAt: number | null
  recordsWaiting: number
  photosWaiting: number
  bytesWaiting: number
  /** Refused commands and given-up photos that a person must look at. */
  attention: number
  phase: Phase
  retryAt: number | null
  error: Problem | null
  /** Work goes on and is kept; sending waits until someone signs in. */
  signedOutWaiting: boolean
  clockOffset: number
  storageLost: boolean
  updateReady: boolean
  /** Nothing has been pulled yet. */
  firstSync: boolean
}

export const status: Status = $state({
  online: typeof navigator === 'undefined' || navigator.onLine,
  syncing: false,
  signedIn: true,
  lastSyncAt: null,
  recordsWaiting: 0,
  photosWaiting: 0,
  bytesWaiting: 0,
  attention: 0,
  phase: 'idle',
  retryAt: null,
  error: null,
  signedOutWaiting: false,
  clockOffset: 0,
  storageLost: false,
  updateReady: false,
  firstSync: true,
})

export function startStatus(): void {
  addEventListener('online', () => (status.online = true))
  addEventListener('offline', () => (status.online = false))
  hear((message) => {
    if (message.type === 'status') untrack(() => show(message.status as Partial<Progress>))
  })
  watch(['outbox', 'captures', 'attention', 'meta'], count).subscribe((counts) => Object.assign(status, counts))
}

function show(progress: Partial<Progress>): void {
  heard(progress)
  const { error, inFlight: _inFlight, ...rest } = progress
  Object.assign(status, rest)
  if (error !== undefined) status.error = error && new Problem(error.code, error.message)
  status.signedOutWaiting = !status.signedIn
  status.firstSync = !status.lastSyncAt
}

async function count(): Promise<Partial<Status>> {
  if (!hasAccount()) return { recordsWaiting: 0, photosWaiting: 0, bytesWaiting: 0, attention: 0 }
  const db = database()
  const [outbox, attention, captures] = await Promise.all([
    db.getAll('outbox'),
    db.count('attention'),
    db.getAll('captures'),
  ])
  const photos = captures.filter(({ state }) => state !== 'acknowledged' && state !== 'draft')
  return {
    recordsWaiting: outbox.filter(({ done }) => !done).length,
    photosWaiting: photos.length,
    bytesWaiting: photos.reduce((sum, { bytes, offset }) => sum + bytes - Math.min(offset, bytes), 0),
    attention: attention + photos.filter(({ state }) => state === 'failed').length,
  }
}
