// After a restoration of the server from a backup, phones bring again what they delivered since.
import { beforeEach, expect, test } from 'vitest'
import type { Household, Visit } from '../src/api/records'
import { toCapture, type CaptureMeta } from '../src/captures/capture'
import { withRoom } from '../src/captures/room'
import { Problem } from '../src/api/problem'
import { database } from '../src/db/account'
import { newId } from '../src/ids'
import { command } from '../src/sync/command'
import { forgetPace } from '../src/sync/pace'
import { letGo } from '../src/sync/refill'
import { ModelServer } from './model-server'
import { findings, household, newPhone, photo, settle, turn } from './phone'

const DAY = 86_400_000

let server: ModelServer
beforeEach(async () => {
  server = new ModelServer()
  server.install()
  forgetPace()
  await newPhone()
})

async function visit(home: string): Promise<{ id: string; photos: CaptureMeta[] }> {
  const id = newId()
  const photos = [await photo(id, id, 'front', 30_000), await photo(id, id, 'back', 5_000)]
  await command('visit.submit', { id, household: home, ...findings(), evidence: photos.map(toCapture), signature: null })
  return { id, photos }
}

test('what the server lost comes again, once and in its order, photos too', async () => {
  const home = household()
  await command('household.register', { household: home, evidence: [] })
  const before = await visit(home.id)
  await settle()
  const restore = server.backup()

  const later = household({ head_name: 'Mama Later' })
  await command('household.register', { household: later, evidence: [] })
  await command('household.update', { id: later.id, changes: { notes: { was: null, now: 'first' } } })
  await command('household.update', { id: later.id, changes: { notes: { was: 'first', now: 'second' } } })
  const after = await visit(home.id)
  await settle()
  expect(await database().count('blobs')).toBe(0)

  restore()
  expect(server.find<Household>('household', later.id)).toBeNull()
  expect(server.received.has(after.photos[0]!.id)).toBe(false)
  await turn()
  await settle()

  expect(server.find<Household>('household', later.id)).toMatchObject({ head_name: 'Mama Later', notes: 'second' })
  expect(server.find<Visit>('visit', after.id)).toMatchObject({ household: home.id })
  for (const { id, sha256 } of [...before.photos, ...after.photos]) expect(server.received.get(id), id).toMatchObject({ sha256 })
  for (const [id, times] of server.effects) expect(times, id).toBe(1)
  expect(await database().count('outbox')).toBe(0)
  expect(await database().count('attention')).toBe(0)
  expect(await database().count('blobs')).toBe(0)
})

test('what was not sent yet goes after what comes again', async () => {
  const home = household()
  const restore = server.backup()
  await command('household.register', { household: home, evidence: [] })
  await settle()
  restore()
  await command('household.update', { id: home.id, changes: { notes: { was: null, now: 'unsent' } } })
  await turn()
  await settle()
  expect(server.find<Household>('household', home.id)).toMatchObject({ notes: 'unsent' })
  expect(await database().count('attention')).toBe(0)
})

test('it stays for a time only, and photos go first when room is short', async () => {
  const home = household()
  await command('household.register', { household: home, evidence: [] })
  await visit(home.id)
  await settle()
  expect([await database().count('delivered'), await database().count('spares')]).toEqual([2, 2])
  await letGo(database(), Date.now() + DAY)
  expect([await database().count('delivered'), await database().count('spares')]).toEqual([2, 2])
  await letGo(database(), Date.now() + 3 * DAY)
  expect([await database().count('delivered'), await database().count('spares')]).toEqual([2, 0])
  await letGo(database(), Date.now() + 15 * DAY)
  expect(await database().count('delivered')).toBe(0)

  await visit(home.id)
  await settle()
  expect(await database().count('spares')).toBe(2)
  let tries = 0
  await withRoom(async () => {
    if (++tries < 3) throw new Problem('storage_full', 'full')
  })
  expect(await database().count('spares')).toBe(0)
})
