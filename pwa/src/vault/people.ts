// Makes, opens and clears what one person has on this phone.
import type { Id } from '../api/records'
import { newId } from '../ids'
import { newKey, newPepper, unwrapByPin, wrapByPin } from './pin'
import { begin, fresh, left, passed, spent } from './tries'
import { changeVault, houseOf, initials, keepVault, ownerOf, vaultOf, vaults, type Vault } from './vaults'
import { wipeReadable, type Wiped } from './wipe'

export interface Opened {
  vault: Vault
  key: Uint8Array<ArrayBuffer>
}

/** For someone who signs in here for the first time, or again without their PIN: what was readable is gone then. */
export async function enrol(account: Id, name: string, pin: string, label = '', organisation?: Id): Promise<Opened> {
  const owner = await ownerOf(account)
  const before = organisation ? await vaultOf(account, organisation) : (await vaults()).find((one) => one.owner === owner)
  if (before) await wipeReadable(before.id)
  const [key, pepper] = [newKey(), await newPepper()]
  const made: Vault = {
    id: before?.id ?? newId(),
    owner,
    ...(organisation ? { house: await houseOf(organisation) } : {}),
    label: label.trim().slice(0, 20) || before?.label || initials(name),
    pin: await wrapByPin(key, pin, pepper),
    lock: null,
    pepper,
    tries: fresh(),
    usedAt: Date.now(),
  }
  await keepVault(made)
  return { vault: made, key }
}

export type Answer =
  | { result: 'opened'; opened: Opened }
  | { result: 'wrong' | 'waiting'; left: number; wait: number }
  | { result: 'wiped'; wiped: Wiped }

/** One try at a time over all tabs, each counted before it is made. */
export function unlockByPin(id: string, pin: string): Promise<Answer> {
  return alone(async () => {
    let allowed = false
    const { tries, pin: wrapped, pepper } = await changeVault(id, (one) => {
      const counted = begin(one.tries)
      allowed = counted !== null
      return counted ? { ...one, tries: counted } : one
    })
    if (!allowed && !spent(tries)) return { result: 'waiting', left: left(tries), wait: tries.wait }
    const key = allowed && wrapped && pepper ? await unwrapByPin(wrapped, pin, pepper) : null
    if (key) return { result: 'opened', opened: { key, vault: await welcome(id) } }
    if (spent(tries)) return { result: 'wiped', wiped: await wipeReadable(id) }
    return { result: 'wrong', left: left(tries), wait: tries.wait }
  })
}

/** Whoever has shown who they are begins with a clean slate. */
export const welcome = (id: string): Promise<Vault> =>
  changeVault(id, (one) => ({ ...one, tries: fresh(), usedAt: Date.now() }))

/** Time that went by with the app open. */
export const waited = async (id: string, ms: number): Promise<number> =>
  (await changeVault(id, (one) => ({ ...one, tries: passed(one.tries, ms) }))).tries.wait

/** The same data key under another PIN; the screen lock stays as it is. */
export async function changePin({ vault, key }: Opened, pin: string): Promise<void> {
  if (!vault.pepper) throw new Error('no key to this account')
  const wrapped = await wrapByPin(key, pin, vault.pepper)
  await changeVault(vault.id, (one) => ({ ...one, pin: wrapped }))
}

async function alone<T>(work: () => Promise<T>): Promise<T> {
  if (!globalThis.navigator?.locks) return work()
  return (await navigator.locks.request('kilele-pin', work)) as T
}
