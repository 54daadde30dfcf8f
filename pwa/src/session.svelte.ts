// Who is signed in on this phone: known without a network once they have been.
import { onExpired, request } from './api/client'
import { asProblem, Problem } from './api/problem'
import type { Id, Organisation, Person, Role, SessionView, Start } from './api/records'
import { setClockOffset } from './clock'
import { accountDbName, database, hasAccount, readMeta, useAccount, writeMeta } from './db/account'
import { broadcast, changed } from './db/changes'
import { pref, prefs, setPref, type KnownAccount } from './db/prefs'
import { describeDevice, deviceId, newDevice } from './device'
import { startLive, stopLive } from './live'
import { renew } from './renew'
import { adoptLanguage } from './i18n/locale.svelte'
import { actAs } from './sync/command'
import { startEngine, stopEngine } from './sync/engine'
import { report } from './sync/report'
import { MEDIA_CACHE } from './sw/names'

let view = $state.raw<SessionView | null>(null)
let ready = $state(false)
let vanished = $state(false)

export const session = {
  get view(): SessionView | null {
    return view
  },
  /** The local database was looked at; before that nothing is known. */
  get ready(): boolean {
    return ready
  },
  get member(): Person | null {
    return view?.member ?? null
  },
  get organisation(): Organisation | null {
    return view?.organisation ?? null
  },
  get role(): Role | null {
    return view?.member.role ?? null
  },
  /** The phone's storage was cleared behind the app's back. */
  get storageLost(): boolean {
    return vanished
  },
  can: (capability: string): boolean => view?.capabilities.includes(capability) ?? false,
}

onExpired(async (seenAt) => {
  const renewed = await renew(seenAt)
  if (renewed) await remember(renewed)
})

/** Opens the last account from this phone alone; never waits for the network. */
export async function openLastAccount(): Promise<void> {
  try {
    const { account, device } = await prefs('account', 'device')
    // Cookies outlive a cleared storage: someone was signed in here, and nothing of theirs is left.
    vanished = !device && /(?:^|; )kilele_known=1/.test(document.cookie)
    if (!account) return
    await useAccount(account.id)
    const known = await readMeta('session')
    // The account's own database went while this phone still knows of it.
    vanished ||= !known
    if (known) await enter(known)
  } finally {
    ready = true
  }
}

/** What cannot be done without a network: a sign-out given offline. */
export async function catchUp(): Promise<void> {
  if (await pref('signOutPending')) await leaveServer()
}

export const startInfo = (): Promise<Start> => request<Start>('/api/start', { signedIn: false })

export async function signIn(login: string, password: string): Promise<void> {
  await begin('/api/sessions', { login, password })
}

export async function setup(body: {
  token: string
  organisation_name: string
  organisation_code: string
  name: string
  login: string
  password: string
}): Promise<void> {
  await begin('/api/setup', body)
}

export async function join(body: { token: string; password: string }): Promise<void> {
  await begin('/api/join', body)
}

export function joinPreview(token: string): Promise<{ name: string; login: string; role: Role; organisation_name: string }> {
  return request('/api/join/preview', { json: { token }, signedIn: false })
}

async function begin(path: string, body: object): Promise<void> {
  const attempt = async () =>
    request<SessionView>(path, { json: { ...body, device: await describeDevice() }, signedIn: false })
  try {
    await open(await attempt())
  } catch (error) {
    if (asProblem(error).code !== 'device_key_changed') throw error
    // The phone lost the key that belonged to its id: from now on it is another device.
    await newDevice()
    await open(await attempt())
  }
}

/** Makes a fresh session the one this phone shows. */
async function open(fresh: SessionView): Promise<void> {
  const { id, name, login } = fresh.account
  stopEngine()
  await useAccount(id)
  await remember(fresh)
  const known: KnownAccount = { id, name, login }
  await setPref('account', known)
  await setPref('accounts', [known, ...((await pref('accounts')) ?? []).filter((other) => other.id !== id)])
  await setPref('signOutPending', false)
  await setPref('refreshedAt', Date.now())
  await adoptLanguage(fresh.account.locale)
  document.cookie = 'kilele_known=1; Max-Age=34560000; Path=/; SameSite=Strict'
  void navigator.storage?.persist?.().catch(() => false)
  await enter(fresh)
  broadcast({ type: 'account', id })
}

async function remember(fresh: SessionView): Promise<void> {
  setClockOffset(fresh.server_time - Date.now())
  // Tokens are for clients without cookies; the phone keeps none.
  const { access_token: _a, refresh_token: _r, ...kept } = fresh as SessionView & Record<string, unknown>
  if (!hasAccount()) return
  await writeMeta('session', kept as SessionView)
  view = kept as SessionView
  report({ signedIn: true })
}

async function enter(known: SessionView): Promise<void> {
  view = known
  setClockOffset((await readMeta('clockOffset')) ?? 0)
  report({ lastSyncAt: (await readMeta('lastSyncAt')) ?? null })
  const device = await deviceId()
  actAs({ member: known.member.id, device })
  changed(['meta', 'records', 'outbox', 'captures', 'drafts', 'attention'])
  startEngine(device)
  startLive()
}

/** Leaves the account. Unsent work needs `force`, and even then stays on the phone for the next sign-in. */
export async function signOut({ force = false }: { force?: boolean } = {}): Promise<void> {
  const db = database()
  const account = view?.account.id
  const unsent = await unsentWork()
  const something = unsent.records + unsent.photos + unsent.drafts > 0
  if (something && !force) {
    throw new Problem('unsent_work', 'Work on this phone has not reached the server', { details: unsent })
  }
  stopEngine()
  stopLive()
  actAs(null)
  await setPref('account', null)
  await setPref('signOutPending', true)
  await leaveServer()
  const name = account && accountDbName(account)
  await useAccount(null)
  view = null
  changed(['meta', 'records', 'outbox', 'captures', 'drafts', 'attention'])
  broadcast({ type: 'account', id: null })
  // The next person on this phone must not find pictures of this one's households.
  if (typeof caches !== 'undefined') await caches.delete(MEDIA_CACHE)
  if (!something && name && db.name === name) indexedDB.deleteDatabase(name)
}

async function leaveServer(): Promise<void> {
  try {
    await request('/api/sessions/current', { method: 'DELETE', timeout: 8_000 })
  } catch (error) {
    // Without a network the session stays until the next start with one; 401 says it is over already.
    if (asProblem(error).status !== 401) return
  }
  await setPref('signOutPending', false)
  document.cookie = 'kilele_known=; Max-Age=0; Path=/; SameSite=Strict'
}

async function unsentWork(): Promise<{ records: number; photos: number; drafts: number }> {
  const db = database()
  const [outbox, attention, drafts, captures] = await Promise.all([
    db.getAll('outbox'),
    db.count('attention'),
    db.count('drafts'),
    db.getAll('captures'),
  ])
  return {
    records: outbox.filter(({ done }) => !done).length + attention,
    photos: captures.filter(({ state }) => state !== 'acknowledged' && state !== 'draft').length,
    drafts,
  }
}

/** Everyone whose data this phone has held. */
export async function accounts(): Promise<{ id: Id; name: string; login: string }[]> {
  return (await pref('accounts')) ?? []
}
