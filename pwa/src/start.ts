// Starts the app: what this phone knows first, then everything that needs the network or may wait.
import { restoreChoices } from './i18n/locale.svelte'
import { watchPage } from './drafts'
import { catchUp, openLastAccount, session } from './session.svelte'
import { asProblem } from './api/problem'
import { onStorageLost } from './db/account'
import { hear } from './db/changes'
import { newId } from './ids'
import { wake } from './sync/engine'
import { startStatus, status } from './sync/status.svelte'
import { registerWorker } from './update'

/** Resolves when the local database is open; needs no network and never rejects. */
export async function start(): Promise<void> {
  onStorageLost(() => (status.storageLost = true))
  startStatus()
  watchPage()
  // Lets other tabs see that this one is open.
  void navigator.locks?.request(`kilele-tab-${newId()}`, { mode: 'shared' }, () => new Promise(() => undefined))
  try {
    await restoreChoices()
    await openLastAccount()
  } catch (error) {
    status.error = asProblem(error)
  }
  status.storageLost ||= session.storageLost
  // Another tab signed someone in or out.
  hear((message) => {
    if (message.type === 'account' && message.id !== (session.view?.account.id ?? null)) location.reload()
  })
  setTimeout(() => void later(), 0)
}

async function later(): Promise<void> {
  await catchUp().catch(() => undefined)
  navigator.serviceWorker?.addEventListener('message', (event: MessageEvent<{ type?: string }>) => {
    if (event.data?.type === 'wake') wake()
  })
  await registerWorker().catch(() => undefined)
  const { keepPush } = await import('./push')
  await keepPush().catch(() => undefined)
}
