// Starts the app: what this phone knows first, then everything that needs the network or may wait.
import { restoreChoices } from './i18n/locale.svelte'
import { watchPage } from './drafts'
import { catchUp, lock, openLastAccount, session, wasRevoked } from './session.svelte'
import { asProblem } from './api/problem'
import { onStorageLost } from './db/account'
import { hear } from './db/changes'
import { afterFirst } from './first'
import { whenIdle } from './idle'
import { newId } from './ids'
import { prepareToday } from './queries/today'
import { askWorker, onRevoked, wake } from './sync/engine'
import { startStatus, status } from './sync/status.svelte'
import { renew } from './renew'
import { watchAway } from './vault/away'
import { alive, answerWorker } from './vault/held'

/** Resolves when the local database is open; needs no network and never rejects. */
export async function start(): Promise<void> {
  // Whoever is opened needs it, and it can be read while the databases open.
  void import('./db/unsealed').catch(() => undefined)
  onStorageLost(() => (status.storageLost = true))
  startStatus()
  watchPage()
  answerWorker(renew)
  navigator.serviceWorker?.addEventListener('controllerchange', alive)
  watchAway(() => void lock())
  onRevoked(() => void wasRevoked())
  // Lets other tabs see that this one is open.
  void navigator.locks?.request(`kilele-tab-${newId()}`, { mode: 'shared' }, () => new Promise(() => undefined))
  try {
    // Side by side: each waits for a database or for the worker, and a slow phone waits long enough.
    await Promise.all([restoreChoices(), openLastAccount()])
  } catch (error) {
    status.error = asProblem(error)
  }
  status.storageLost ||= session.storageLost !== null
  // Another tab signed someone in or out.
  hear((message) => {
    if (message.type === 'account' && message.id !== session.vault) location.reload()
  })
  if (session.view !== null && location.pathname === '/') prepareToday()
  afterFirst(() => whenIdle(() => void later(), 1_000))
}

async function later(): Promise<void> {
  // What another window chooses is worn here too.
  void import('./i18n/choose')
  await catchUp().catch(() => undefined)
  void sealedOfOthers()
  addEventListener('online', () => void sealedOfOthers())
  navigator.serviceWorker?.addEventListener('message', (event: MessageEvent<{ type?: string }>) => {
    if (event.data?.type === 'wake') wake()
  })
  await import('./update').then(({ registerWorker }) => registerWorker()).catch(() => undefined)
  const { keepPush } = await import('./push')
  await keepPush().catch(() => undefined)
}

/** What lies here sealed for people who are not open: any page that has a line delivers it, and else the worker. */
async function sealedOfOthers(): Promise<void> {
  clearTimeout(another)
  const { deliverOthers } = await import('./vault/others')
  const left = await deliverOthers(session.vault).catch(() => 1)
  if (left === 0) return
  void askWorker()
  another = setTimeout(() => void sealedOfOthers(), AGAIN)
}

const AGAIN = 60_000
let another: ReturnType<typeof setTimeout> | undefined
