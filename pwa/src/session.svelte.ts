// Who is open on this phone: known without a network once they have signed in and given their PIN.
import { onExpired, request, sendAs } from './api/client'
import { asProblem, Problem } from './api/problem'
import type { Membership, Organisation, Person, Role, SealedNames, SessionView, Start } from './api/records'
import { setClockOffset } from './clock'
import { database, hasAccount, readMeta, useAccount, writeMeta } from './db/account'
import { broadcast, changed } from './db/changes'
import { dropPref, pref, prefs, setPref, type KnownAccount } from './db/prefs'
import { watch } from './db/watch'
import { flushDrafts } from './drafts'
import { describeDevice, deviceId, newDevice } from './device'
import { startLive, stopLive } from './live'
import { renew } from './renew'
import { afterFirst } from './first'
import { adoptLanguage } from './i18n/locale.svelte'
import { homeOf } from './shell/home'
import { recovery } from './sign-in/recovery.svelte'
import { actAs } from './sync/author'
import { startEngine, stopEngine } from './sync/engine'
import { report } from './sync/report'
import { askHeld, hold, letGo } from './vault/held'
import { forget as forgetMark, mark, readMark, type Mark } from './vault/marker'
import { sealAs, sealTo } from './vault/parcel'
import type { Opened } from './vault/people'
import { changeVault, houseOf, vault as readVault, vaultOf, vaults, type Vault } from './vault/vaults'
import { forgetPerson } from './vault/wipe'
import { useZone } from './shell/zone.svelte'

interface Vanished {
  records: number
  photos: number
  names: SealedNames[]
}
type Fresh = SessionView & { access_token?: string; refresh_token?: string; recovery_codes?: string[] }

/** What stands before the app: choosing a PIN, giving it, or being told that this phone was removed. */
export type Gate =
  | { kind: 'choose'; name: string; again: boolean }
  | { kind: 'unlock'; vault: string | null }
  | { kind: 'revoked' }

let view = $state.raw<SessionView | null>(null)
/** Whose database is open. */
let open = $state<string | null>(null)
let ready = $state(false)
let gate = $state.raw<Gate | null>(null)
/** What vanished with this phone's storage, in numbers, as far as it was noted elsewhere. */
let vanished = $state.raw<Vanished | null>(null)
/** Signed in by password, with the PIN still to come. */
let pending: Fresh | null = null
let legacy: KnownAccount | null = null
/** The id that this phone had when its storage vanished. */
let lostOn: string | undefined

export const session = {
  get view(): SessionView | null {
    return view
  },
  /** The local database was looked at; before that nothing is known. */
  get ready(): boolean {
    return ready
  },
  get vault(): string | null {
    return open
  },
  get gate(): Gate | null {
    return gate
  },
  get member(): Person | null {
    return view?.member ?? null
  },
  get organisation(): Organisation | null {
    return view?.organisation ?? null
  },
  /** Where this person may go; empty where there is one organisation. */
  get memberships(): Membership[] {
    return view?.memberships ?? []
  },
  get role(): Role | null {
    return view?.member.role ?? null
  },
  /** The phone's storage was cleared behind the app's back. */
  get storageLost(): { records: number; photos: number } | null {
    return vanished
  },
  /** The first screen. */
  get home(): string {
    return homeOf(view?.member.role ?? null, view?.capabilities, Boolean(view?.memberships?.length))
  },
  can: (capability: string): boolean => view?.capabilities.includes(capability) ?? false,
}

onExpired(async (seenAt) => {
  const renewed = await renew(seenAt)
  if (renewed) await remember(renewed)
})

/** Opens whoever was here a moment ago; else asks for a PIN. Never waits for the network. */
export async function openLastAccount(): Promise<void> {
  // Asked first: a worker that is not running takes longest to answer.
  const asked = askHeld()
  try {
    const [{ account, vault: last, device }, people, marked] = await Promise.all([
      prefs('account', 'vault', 'device'), vaults(), readMark(),
    ])
    vanished = missing(marked, people, device)
    if (account) {
      // Version 0.1 kept everything in clear: it is sealed as soon as there is a PIN.
      legacy = account
      gate = { kind: 'choose', name: account.name, again: false }
      return
    }
    const here = people.find(({ id }) => id === last) ?? people[0]
    if (!here) return
    const held = await asked
    const usual = here.signedOut || here.revoked || !here.pin ? null : here.id
    if (held && held.vault === usual && last === usual) await openVault(held.vault, held.key)
    else if (last) gate = { kind: 'unlock', vault: usual }
  } finally {
    ready = true
  }
}

/** Numbers noted outside the database, for people whose database is gone. */
function missing(marked: Mark | null, people: Vault[], device: string | undefined): Vanished | null {
  const gone = Object.entries(marked?.people ?? {}).filter(([id]) => !people.some((one) => one.id === id))
  // Cookies outlive a cleared storage too.
  const known = !device && /(?:^|; )kilele_known=1/.test(document.cookie)
  if (gone.length === 0 && !known) return null
  lostOn = marked?.device
  const sum = (what: 'records' | 'photos') => gone.reduce((total, [, waiting]) => total + waiting[what], 0)
  return { records: sum('records'), photos: sum('photos'), names: gone.flatMap(([, { names }]) => names ?? []) }
}

/** The right PIN was given, or the worker still held the key. */
export async function openVault(id: string, key: Uint8Array<ArrayBuffer>): Promise<void> {
  await useAccount(id, key)
  open = id
  hold(id, key)
  const known = await readMeta('session')
  const fresh = pending
  if (fresh && known && known.organisation.id !== fresh.organisation.id) {
    // It did not say in whose house it belongs: not in this one. Here a database of its own is made.
    const house = await houseOf(known.organisation.id)
    await changeVault(id, (one) => ({ ...one, house }))
    await shut()
    gate = { kind: 'choose', name: fresh.account.name, again: false }
    return
  }
  pending = null
  if (fresh) return arrive(fresh, id)
  await setPref('vault', id)
  gate = null
  if (known) return enter(known)
  // The account's own database went while this phone still knows of it.
  const marked = await readMark()
  const { records = 0, photos = 0, names } = marked?.people[id] ?? {}
  vanished = { records, photos, names: names ? [names] : [] }
  lostOn = marked?.device
  // What is sealed to the server may still be there; to see anything, the person signs in.
  await shut()
}

/** A PIN was chosen, after signing in or for what version 0.1 left behind. */
export async function protect(pin: string, label: string): Promise<void> {
  const { enrol } = await import('./vault/people')
  if (legacy) {
    // A page of the old version would go on writing where nobody looks any more.
    const tabs = (await navigator.locks?.query())?.held?.filter(({ name }) => name?.startsWith('kilele-tab')).length ?? 0
    if (tabs > 1) throw new Problem('other_tabs', 'Close the other tabs first')
    const { adopt } = await import('./vault/adopt')
    const opened = await enrol(legacy.id, legacy.name, pin, label)
    await adopt(legacy.id, opened)
    await setPref('vault', opened.vault.id)
    await setPref('cookies', opened.vault.id)
    await dropPref('account')
    await dropPref('accounts')
    legacy = null
    return openVault(opened.vault.id, opened.key)
  }
  if (!pending) throw new Problem('signed_out', 'Sign in first')
  const opened = await enrol(pending.account.id, pending.account.name, pin, label, pending.organisation.id)
  await openVault(opened.vault.id, opened.key)
}

/** Nothing readable stays in memory; the address stays, and so does what was typed. */
export async function lock(): Promise<void> {
  if (!hasAccount()) return
  await flushDrafts()
  const id = open
  leave()
  await shut()
  gate = { kind: 'unlock', vault: id }
  broadcast({ type: 'account', id: null })
  // A new page remembers nothing of the old one.
  if (globalThis.navigator?.serviceWorker?.controller) location.reload()
}

/** The list of people, or signing in as another. */
export function stepBack(to: 'people' | 'sign-in'): void {
  pending = null
  gate = to === 'people' ? { kind: 'unlock', vault: null } : null
}
export const askPin = (vault: string): void => void (gate = { kind: 'unlock', vault })

/** Signed in by password: whoever forgot the PIN chooses a new one. */
export const chooseAgain = (): void => {
  if (pending) gate = { kind: 'choose', name: pending.account.name, again: true }
}
export const signedInByPassword = (): boolean => pending !== null

/** What cannot be done without a network: a sign-out given offline. */
export async function catchUp(): Promise<void> {
  if (await pref('signOutPending')) await leaveServer()
}

export const startInfo = (): Promise<Start> => request<Start>('/api/start', { signedIn: false })

export async function signIn(login: string, password: string, code?: string): Promise<void> {
  await begin('/api/sessions', { login, password, ...(code ? { code } : {}) })
}

export const signInByProvider = (code: string, state: string): Promise<void> =>
  begin('/api/sessions/provider/finish', { code, state })

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

export function joinPreview(
  token: string,
): Promise<{ name: string; login: string; role: Role; organisation_name: string; has_password: boolean }> {
  return request('/api/join/preview', { json: { token }, signedIn: false })
}

async function begin(path: string, body: object): Promise<void> {
  const attempt = async () =>
    request<Fresh>(path, { json: { ...body, device: await describeDevice(), shared: true }, signedIn: false })
  try {
    await begun(await attempt())
  } catch (error) {
    if (asProblem(error).code !== 'device_key_changed') throw error
    // The phone lost the key that belonged to its id: from now on it is another device.
    await newDevice()
    await begun(await attempt())
  }
}

/** Roles, modules or the mode have changed: what this person may do is asked for anew. */
export async function refreshSession(): Promise<void> {
  const { access_expires_at: _never, refresh_challenge: _none, ...news } = await request<SessionView>('/api/me')
  if (!view || news.member.id !== view.member.id) return
  view = { ...view, ...news }
  if (hasAccount()) await writeMeta('session', view)
}

/** To another organisation: its session, and its own database on this phone. What waits here stays here. */
export async function switchTo(member: string): Promise<void> {
  await flushDrafts()
  await begun(await request<Fresh>('/api/sessions/switch', { json: { member, shared: true } }))
}

/** A fresh session: on top of the work that is open, or to be followed by the PIN. */
async function begun(fresh: Fresh): Promise<void> {
  if (fresh.recovery_codes) recovery.show(fresh.recovery_codes)
  const known = await vaultOf(fresh.account.id, fresh.organisation.id)
  if (known && known.id === open) return arrive(fresh, known.id)
  leave()
  await shut()
  pending = fresh
  gate = known?.pin ? { kind: 'unlock', vault: known.id } : { kind: 'choose', name: fresh.account.name, again: Boolean(known) }
}

async function arrive(fresh: Fresh, id: string): Promise<void> {
  await setPref('vault', id)
  await remember(fresh)
  const house = await houseOf(fresh.organisation.id)
  await changeVault(id, ({ signedOut: _before, ...rest }) => ({ ...rest, house }))
  if (vanished) await confess(vanished)
  await setPref('signOutPending', false)
  await setPref('refreshedAt', Date.now())
  await adoptLanguage(fresh.account.locale)
  document.cookie = 'kilele_known=1; Max-Age=34560000; Path=/; SameSite=Strict'
  void navigator.storage?.persist?.().catch(() => false)
  gate = null
  await enter(view!)
  broadcast({ type: 'account', id })
}

/** What vanished goes to the server with the next contact, and the old marks are taken down. */
async function confess({ records, photos, names }: Vanished): Promise<void> {
  const { noteLoss } = await import('./vault/losses')
  await noteLoss({ ...(lostOn ? { device: lostOn } : {}), noticed_at: Date.now(), records, captures: photos, sealed: names })
  const here = new Set((await vaults()).map(({ id }) => id))
  for (const id of Object.keys((await readMark())?.people ?? {})) if (!here.has(id)) await forgetMark(id)
}

async function remember(fresh: Fresh): Promise<void> {
  if (view && fresh.member.id !== view.member.id) {
    // The cookies were another's, or of another organisation: the next renewal goes by this person's own token.
    await setPref('cookies', null)
    throw new Problem('signed_out', 'Someone else is signed in', { status: 401 })
  }
  setClockOffset(fresh.server_time - Date.now())
  const { access_token: _access, refresh_token, ...kept } = fresh
  if (!hasAccount()) return
  if (refresh_token) await writeMeta('refreshToken', refresh_token)
  if (kept.outbox_key) await writeMeta('outboxKey', kept.outbox_key)
  await setPref('cookies', open)
  await writeMeta('session', kept)
  view = kept
  useZone(kept.organisation.time_zone)
  report({ signedIn: true })
}

async function enter(known: SessionView): Promise<void> {
  view = known
  useZone(known.organisation.time_zone)
  const [offset, lastSyncAt, outboxKey, device] = await Promise.all([
    readMeta('clockOffset'), readMeta('lastSyncAt'), readMeta('outboxKey'), deviceId(),
  ])
  setClockOffset(offset ?? 0)
  report({ lastSyncAt: lastSyncAt ?? null })
  actAs({ member: known.member.id, device })
  sendAs(known.member.id)
  sealAs({ org: known.organisation.id, member: known.member.id, device })
  sealTo(outboxKey ?? null)
  changed(['meta', 'records', 'outbox', 'captures', 'drafts', 'attention'])
  // What the phone knows is shown first; the network and the notes have the next turn.
  const id = open
  afterFirst(() => {
    if (!id || open !== id || view?.member.id !== known.member.id) return
    startEngine(device)
    startLive()
    markWaiting(id, device)
  })
}

/** Notes outside the database how much waits in it, whenever that changes. */
function markWaiting(id: string, device: string): void {
  stopMarking?.()
  stopMarking = watch(['outbox', 'captures'], unsentWork).subscribe(({ records, photos }) => {
    noting = noting.then(() => note(device, id, records, photos)).catch(() => undefined)
  })
}
let stopMarking: (() => void) | null = null
let noting: Promise<void> = Promise.resolve()

/** The numbers first: names take a moment longer, and may not be had. */
async function note(device: string, id: string, records: number, photos: number): Promise<void> {
  if (open !== id) return
  await mark(device, id, { records, photos })
  if (records + photos === 0) return
  const { namesWaiting } = await import('./vault/names')
  const names = await namesWaiting().catch(() => null)
  if (names && open === id) await mark(device, id, { records, photos, names })
}

/** Forgets the key, here and in the worker. */
async function shut(): Promise<void> {
  open = null
  letGo()
  await useAccount(null)
}

/** The server says that this phone was removed: it hands over what waits, wipes itself and says so. */
export async function wasRevoked(): Promise<void> {
  const id = open
  if (!id) return
  leave()
  await shut()
  gate = { kind: 'revoked' }
  await setPref('vault', null)
  await setPref('cookies', null)
  const { revoke } = await import('./vault/revoke')
  await revoke(id)
  broadcast({ type: 'account', id: null })
}

function leave(): void {
  stopMarking?.()
  stopMarking = null
  stopEngine()
  stopLive()
  actAs(null)
  sendAs(null)
  sealAs(null)
  view = null
}

/** Leaves the account. Unsent work needs `force`, and even then stays on the phone for the next sign-in. */
export async function signOut({ force = false }: { force?: boolean } = {}): Promise<void> {
  const id = open
  const unsent = await unsentWork()
  const something = unsent.records + unsent.photos + unsent.drafts > 0
  if (something && !force) {
    throw new Problem('unsent_work', 'Work on this phone has not reached the server', { details: unsent })
  }
  leave()
  await setPref('vault', null)
  // The browser's session may be another's, who is not the one that leaves.
  if ((await pref('cookies')) === id) {
    await setPref('signOutPending', true)
    await leaveServer()
  }
  await shut()
  gate = null
  changed(['meta', 'records', 'outbox', 'captures', 'drafts', 'attention'])
  broadcast({ type: 'account', id: null })
  if (!id) return
  if (!something) return forgetPerson(id)
  await changeVault(id, (one) => ({ ...one, signedOut: true }))
}

async function leaveServer(): Promise<void> {
  try {
    await request('/api/sessions/current', { method: 'DELETE', timeout: 8_000 })
  } catch (error) {
    // Without a network the session stays until the next start with one; 401 says it is over already.
    if (asProblem(error).status !== 401) return
  }
  await setPref('signOutPending', false)
  await setPref('cookies', null)
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
