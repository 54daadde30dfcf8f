// One phone, several people: the PIN opens, wrong ones cost, ten cost what can be read and never what waits.
import { beforeEach, expect, test } from 'vitest'
import { toCapture } from '../src/captures/capture'
import { accountDbName, database, openSealed, useAccount } from '../src/db/account'
import { newId } from '../src/ids'
import { household as read } from '../src/queries/households'
import { command } from '../src/sync/command'
import { changePin, enrol, unlockByPin, waited, type Answer, type Opened } from '../src/vault/people'
import { ITERATIONS, weakPin } from '../src/vault/pin'
import { sealAs, sealTo } from '../src/vault/parcel'
import { MOST } from '../src/vault/tries'
import { houseOf, keepVault, vault, vaultOf, vaults } from '../src/vault/vaults'
import { actAs } from '../src/sync/author'
import { findings, household, photo } from './phone'
import { newServerKey } from './sealing'

const PIN = '274951'
let opened: Opened
let account: string

beforeEach(async () => {
  account = newId()
  opened = await enrol(account, 'Amina Otieno', PIN)
  await useAccount(opened.vault.id, opened.key)
  actAs({ member: 'member-1', device: 'device-1' })
})

const isOpen = (answer: Answer) => (answer.result === 'opened' ? answer.opened : null)

test('the PIN gives the same key again, another PIN gives none', async () => {
  expect(ITERATIONS).toBeGreaterThanOrEqual(600_000)
  expect(isOpen(await unlockByPin(opened.vault.id, '274952'))).toBeNull()
  expect(isOpen(await unlockByPin(opened.vault.id, PIN))?.key).toEqual(opened.key)
})

test.each(['000000', '123456', '654321', '112112', '121212', '777778', '890123'])('%s is too easy', (pin) => {
  expect(weakPin(pin)).toBe(true)
})
test.each(['274951', '135790', '908172', '199417'])('%s is not', (pin) => expect(weakPin(pin)).toBe(false))

test('a changed PIN opens the same work, and the old one no longer', async () => {
  await command('household.register', { household: household({ id: 'h' }), evidence: [] })
  await changePin(opened, '908172')
  expect(isOpen(await unlockByPin(opened.vault.id, PIN))).toBeNull()
  const again = isOpen(await unlockByPin(opened.vault.id, '908172'))!
  await useAccount(again.vault.id, again.key)
  expect(await read('h')).toMatchObject({ head_name: 'Mama Achieng' })
})

test('a try is counted before it is made, and a wait is served whatever the clock says', async () => {
  const id = opened.vault.id
  for (let i = 0; i < 2; i++) expect(await unlockByPin(id, '111222')).toMatchObject({ result: 'wrong', wait: 0 })
  const third = await unlockByPin(id, '111222')
  expect(third).toMatchObject({ result: 'wrong', left: 7 })
  if (third.result !== 'wrong') throw new Error('not wrong')
  expect(third.wait).toBeGreaterThan(0)
  // The right PIN does not shorten it, and asking costs nothing.
  expect(await unlockByPin(id, PIN)).toMatchObject({ result: 'waiting', left: 7, wait: third.wait })
  expect((await vault(id))!.tries).toEqual({ wrong: 3, wait: third.wait })
  // A page that is reloaded, or a clock put forward, changes nothing: only time with the app open does.
  expect(await waited(id, -5_000)).toBe(third.wait)
  expect(await waited(id, third.wait)).toBe(0)
  expect(isOpen(await unlockByPin(id, PIN))).not.toBeNull()
  expect((await vault(id))!.tries).toEqual({ wrong: 0, wait: 0 })
})

test('the tenth wrong PIN deletes what can be read; what is sealed to the server stays and the next PIN finds none of the old', async () => {
  const { key } = await newServerKey()
  sealAs({ org: 'org-1', member: 'member-1', device: 'device-1' })
  sealTo(key)
  const home = household()
  await command('household.register', { household: home, evidence: [] })
  const visit = newId()
  const front = await photo(visit, visit, 'front')
  await command('visit.submit', { id: visit, household: home.id, ...findings(), evidence: [toCapture(front)], signature: null })
  const lone = await photo(newId(), newId(), 'back')
  const before = await database().getAll('items')
  expect(before).toHaveLength(2)
  await useAccount(null)

  const id = opened.vault.id
  let last: Answer | null = null
  for (let i = 0; i < MOST; i++) {
    await waited(id, 3_600_000)
    last = await unlockByPin(id, '111222')
  }
  expect(last).toEqual({ result: 'wiped', wiped: { drafts: 0, waiting: 3 } })
  expect(await vault(id)).toMatchObject({ pin: null, lock: null, pepper: null })
  const raw = await openSealed(id)
  for (const store of ['records', 'outbox', 'captures', 'drafts', 'cursors', 'attention', 'meta']) {
    expect(await raw.count(store), store).toBe(0)
  }
  expect(await raw.getAll('items')).toEqual(before)
  expect(await raw.getAllKeys('parcels')).toEqual([front.id])
  expect(await raw.getAllKeys('blobs')).toEqual([front.id])
  expect(await raw.getAllKeys('blobs')).not.toContain(lone.id)
  raw.close()

  // The right PIN comes too late, and signing in again makes a new key on top of what waits.
  expect(await unlockByPin(id, PIN)).toMatchObject({ result: 'wiped' })
  const anew = await enrol(account, 'Amina Otieno', '908172')
  expect(anew.vault.id).toBe(id)
  expect(anew.key).not.toEqual(opened.key)
  await useAccount(id, anew.key)
  expect(await database().count('records')).toBe(0)
  expect(await database().getAll('items')).toEqual(before)
})

test('nobody is named on the disk, before and after another person unlocks', async () => {
  const home = household({ head_name: 'Nafula Wekesa', phone: '+254712999321', national_id: '31415926' })
  await command('household.register', { household: home, evidence: [] })
  const visit = newId()
  await photo(visit, visit, 'front')
  await database().put('drafts', { id: newId(), kind: 'visit', subject: visit, household: home.id, value: { seen: 'Kuku sita' }, captures: [], created_at: 1, updated_at: 1 })
  await database().put('cursors', 7, 'village-1')
  const secrets = ['Nafula', 'Wekesa', '712999321', '31415926', home.id, visit, 'Kuku sita', 'village-1', account, 'Otieno', 'image/jpeg']
  const check = async () => {
    const dump = await everything()
    expect(dump.length).toBeGreaterThan(500)
    for (const secret of secrets) expect(dump.includes(secret), secret).toBe(false)
  }
  await check()
  const second = await enrol(newId(), 'Juma Baraka', '908172')
  await useAccount(second.vault.id, second.key)
  await check()
})

test('one key does not open another’s rows', async () => {
  await command('household.register', { household: household({ id: 'h' }), evidence: [] })
  const other = await enrol(newId(), 'Juma', '908172')
  await useAccount(opened.vault.id, other.key)
  expect(await read('h')).toBeNull()
  await expect(database().getAll('outbox')).rejects.toMatchObject({ code: 'storage_damaged' })
})

test('the list of people shows initials unless somebody said more', async () => {
  expect(opened.vault.label).toBe('AO')
  const other = await enrol(newId(), 'Juma Baraka', '908172', ' Juma from Kibera, third hut left ')
  expect(other.vault.label).toBe('Juma from Kibera, th')
  await keepVault({ ...other.vault, usedAt: Date.now() + 1 })
  expect((await vaults())[0]!.id).toBe(other.vault.id)
})

/** All of IndexedDB as one text, bytes as they are. */
async function everything(): Promise<string> {
  const texts: string[] = []
  const flat = (value: unknown): string => {
    if (value instanceof ArrayBuffer) return Buffer.from(value).toString('latin1')
    if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1')
    if (Array.isArray(value)) return value.map(flat).join('\n')
    if (value && typeof value === 'object') return Object.entries(value).map(([name, one]) => `${name}=${flat(one)}`).join('\n')
    return String(value)
  }
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise<IDBDatabase>((done, fail) => {
      const opening = indexedDB.open(name!)
      opening.onsuccess = () => done(opening.result)
      opening.onerror = () => fail(opening.error)
    })
    texts.push(name!)
    for (const store of db.objectStoreNames) {
      const from = db.transaction(store).objectStore(store)
      for (const request of [from.getAll(), from.getAllKeys()]) {
        texts.push(flat(await new Promise((done) => (request.onsuccess = () => done(request.result)))))
      }
    }
    db.close()
  }
  expect(texts.join()).toContain(accountDbName(opened.vault.id))
  return texts.join('\n')
}

test('in each organisation a person has a database and a key of their own', async () => {
  const [one, two] = [newId(), newId()]
  // What an older version made says no organisation, and is found by the first that asks.
  expect((await vaultOf(account, one))?.id).toBe(opened.vault.id)
  await keepVault({ ...opened.vault, house: await houseOf(one) })
  expect((await vaultOf(account, one))?.id).toBe(opened.vault.id)
  expect(await vaultOf(account, two)).toBeUndefined()
  const there = await enrol(account, 'Amina Otieno', '908172', '', two)
  expect(there.vault.id).not.toBe(opened.vault.id)
  expect(there.key).not.toEqual(opened.key)
  expect(accountDbName(there.vault.id)).not.toBe(accountDbName(opened.vault.id))
  expect((await vaultOf(account, two))?.id).toBe(there.vault.id)
  expect((await vaultOf(account, one))?.id).toBe(opened.vault.id)
  expect(await vaultOf(newId(), one)).toBeUndefined()
  // The PIN of one opens nothing of the other.
  expect(isOpen(await unlockByPin(there.vault.id, PIN))).toBeNull()
})
