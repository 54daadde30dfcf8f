// Owns the network for records and photos: one turn at a time over all tabs and the worker, woken by whatever happens.
import { asProblem, type Problem } from '../api/problem'
import { database, hasAccount } from '../db/account'
import { broadcast, hear } from '../db/changes'
import { dropPictures, SYNC_TAG } from '../sw/names'
import { alone } from './alone'
import { backoff } from './backoff'
import { report } from './report'

/** With nothing to send, look for news this often while someone looks at the app. */
const HEARTBEAT = 300_000
/** The server broke over something: that has another chance after this long. */
const SOON = 60_000

let device: string | null = null
let running = false
let again = false
let failures = 0
let timer: ReturnType<typeof setTimeout> | undefined
let stop: (() => void) | null = null

/** Begins for the account that is open; ends what ran before. */
export function startEngine(forDevice: string): void {
  stopEngine()
  device = forDevice
  failures = 0
  const wakeUp = () => wake()
  const looked = () => document.visibilityState === 'visible' && wake()
  const silent = hear(({ type }) => type === 'wake' && (visible() || running) && wake())
  addEventListener('online', wakeUp)
  document.addEventListener('visibilitychange', looked)
  stop = () => {
    silent()
    removeEventListener('online', wakeUp)
    document.removeEventListener('visibilitychange', looked)
  }
  wake()
}

export function stopEngine(): void {
  stop?.()
  stop = null
  device = null
  clearTimeout(timer)
}

/** The person's "send now", in whichever tab. */
export function syncNow(): void {
  failures = 0
  broadcast({ type: 'wake' })
}

let revoked: (() => void) | null = null
/** An administrator ended this phone's access. */
export function onRevoked(then: () => void): void {
  revoked = then
}

/** Something happened that makes a turn worthwhile. */
export function wake(): void {
  clearTimeout(timer)
  if (!device || !hasAccount()) return
  if (running) return void (again = true)
  void turn(device)
}

async function turn(forDevice: string): Promise<void> {
  running = true
  again = false
  let wait = HEARTBEAT
  try {
    report({ syncing: true, retryAt: null })
    // Fetched after the first screen, which needs none of it.
    const { runCycle } = await import('./cycle')
    const left = await alone(() => runCycle(database(), forDevice))
    failures = 0
    if (left) wait = SOON
    report({ syncing: false, phase: 'idle', signedIn: true, error: null })
  } catch (error) {
    wait = await failed(asProblem(error))
  } finally {
    running = false
  }
  if (!stop) return
  if (again && failures === 0) return wake()
  schedule(wait)
}

async function failed(problem: Problem): Promise<number> {
  failures++
  // Space for records and photos goes before cached pictures, which the server still has.
  if (problem.code === 'storage_full') await dropPictures()
  const wait = Math.max(backoff(failures), (problem.more.retryAfter ?? 0) * 1000)
  if (problem.code === 'offline') void askWorker()
  if (problem.code === 'app_too_old') void lookForUpdate()
  if (problem.code === 'device_revoked' || problem.details?.because === 'device_revoked') revoked?.()
  const signedOut = problem.code === 'signed_out'
  report({
    syncing: false,
    phase: 'waiting',
    retryAt: Date.now() + wait,
    error: { code: problem.code, message: problem.message },
    ...(signedOut ? { signedIn: false } : {}),
  })
  return wait
}

function schedule(wait: number): void {
  clearTimeout(timer)
  timer = setTimeout(() => (visible() || failures > 0 ? wake() : schedule(HEARTBEAT)), wait)
  ;(timer as { unref?: () => void }).unref?.()
}

const visible = () => typeof document === 'undefined' || document.visibilityState === 'visible'

async function lookForUpdate(): Promise<void> {
  const registration = await navigator.serviceWorker?.getRegistration()
  await registration?.update().catch(() => undefined)
}

/** The browser runs the worker when there is a network again, even with the app closed. */
export async function askWorker(): Promise<void> {
  try {
    const registration = await navigator.serviceWorker?.getRegistration()
    await (registration as { sync?: { register(tag: string): Promise<void> } } | undefined)?.sync?.register(SYNC_TAG)
  } catch {
    // Not every browser can, or may; the app then sends when it is opened.
  }
}
