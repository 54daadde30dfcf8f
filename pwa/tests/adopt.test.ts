// What version 0.1 kept in clear is sealed, whole, and then gone.
import { openDB } from 'idb'
import { beforeEach, expect, test } from 'vitest'
import { openPicture } from '../src/captures/locker'
import { database, useAccount } from '../src/db/account'
import { row } from '../src/db/schema'
import { newId } from '../src/ids'
import { household as read } from '../src/queries/households'
import { actAs } from '../src/sync/author'
import { command } from '../src/sync/command'
import { adopt } from '../src/vault/adopt'
import { enrol } from '../src/vault/people'
import { household } from './phone'

const account = newId()
const form = household({ id: newId(), head_name: 'Nafula Wekesa' })
const picture = new Uint8Array([1, 2, 3, 4]).buffer

beforeEach(async () => {
  const db = await openDB(`kilele-${account}`, 1, {
    upgrade(db) {
      db.createObjectStore('records', { keyPath: ['kind', 'id'] })
      db.createObjectStore('outbox', { keyPath: 'seq', autoIncrement: true })
      for (const store of ['captures', 'drafts', 'attention']) db.createObjectStore(store, { keyPath: 'id' })
      for (const store of ['blobs', 'cursors', 'meta']) db.createObjectStore(store)
    },
  })
  await db.put('records', { ...row('household', form.id, 'village-1', form as never), sort: 'nafula wekesa' })
  const waiting = { id: newId(), command: { id: 'c', kind: 'inbox.read', at: 1, body: { ids: [] } }, by: {}, records: ['household:x'], captures: [], draft: null, size: 9, done: false }
  await db.add('outbox', waiting)
  await db.put('captures', { id: 'photo-1', draft: null, subject: 'v', state: 'queued', sha256: 'x', bytes: 4, slot: 'front', upload: null, offset: 0, error: null, restarts: 0, command: null })
  await db.put('blobs', picture, 'photo-1')
  await db.put('drafts', { id: 'd', kind: 'visit', subject: 'v', value: { seen: 'Kuku' }, captures: [], created_at: 1, updated_at: 2 })
  await db.put('cursors', 41, 'village-1')
  await db.put('meta', 1234, 'lastSyncAt')
  db.close()
})

test('every record, command, photo, draft and cursor is there afterwards', async () => {
  const opened = await enrol(account, 'Amina', '274951')
  await adopt(account, opened)
  await useAccount(opened.vault.id, opened.key)
  actAs({ member: 'm', device: 'd' })
  const db = database()
  expect(await read(form.id)).toMatchObject({ head_name: 'Nafula Wekesa' })
  expect(await db.getAll('outbox')).toMatchObject([{ seq: 1, command: { kind: 'inbox.read' }, records: ['household:x'] }])
  expect(await db.getAll('drafts')).toMatchObject([{ id: 'd', value: { seen: 'Kuku' } }])
  expect(await db.get('cursors', 'village-1')).toBe(41)
  expect(await db.get('meta', 'lastSyncAt')).toBe(1234)
  const photo = (await db.get('captures', 'photo-1'))!
  expect(photo).toMatchObject({ state: 'queued', slot: 'front' })
  const cipher = (await db.get('blobs', 'photo-1'))!
  expect(new Uint8Array(cipher)).not.toEqual(new Uint8Array(picture))
  expect(new Uint8Array(await openPicture(cipher, photo.secret))).toEqual(new Uint8Array(picture))
  expect((await indexedDB.databases()).map(({ name }) => name)).not.toContain(`kilele-${account}`)
  // New work goes behind what waits.
  await command('inbox.read', { ids: ['i'] })
  expect((await db.getAll('outbox')).map(({ seq }) => seq)).toEqual([1, 2])
})
