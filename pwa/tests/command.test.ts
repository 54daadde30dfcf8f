// A command is all or nothing: record, outbox, draft and photos change together.
import { beforeEach, expect, test } from 'vitest'
import { toCapture } from '../src/captures/capture'
import { database } from '../src/db/account'
import { draft, flushDrafts, putDraft } from '../src/drafts'
import { newId } from '../src/ids'
import { changesOf, command } from '../src/sync/command'
import { household as read } from '../src/queries/households'
import { findings, household, newPhone, photo } from './phone'

beforeEach(newPhone)

test('a registered household is there at once, waits in the outbox, and its draft is gone', async () => {
  const form = household()
  putDraft({ id: form.id, kind: 'household', value: form })
  await flushDrafts()
  const face = await photo(form.id, form.id, 'front')
  await command('household.register', { household: form, evidence: [toCapture(face)] }, { draft: form.id })

  const db = database()
  expect(await read(form.id)).toMatchObject({ head_name: 'Mama Achieng', photo: face.id, number: null })
  expect(await db.count('outbox')).toBe(1)
  expect(await draft(form.id)).toBeNull()
  expect(await db.get('captures', face.id)).toMatchObject({ state: 'queued', draft: null })
  expect(await db.get('blobs', face.id)).toBeDefined()
})

test('when one part fails nothing of it happened, and the draft is still there', async () => {
  const form = household()
  putDraft({ id: form.id, kind: 'household', value: form })
  await flushDrafts()
  const stranger = { ...toCapture(await photo(newId(), form.id, 'front')), id: newId() }
  await expect(
    command('household.register', { household: form, evidence: [stranger] }, { draft: form.id }),
  ).rejects.toMatchObject({ code: 'capture_missing' })
  expect(await read(form.id)).toBeNull()
  expect(await database().count('outbox')).toBe(0)
  expect(await draft(form.id)).not.toBeNull()
})

test('a full phone says so', async () => {
  const db = database()
  const add = IDBObjectStore.prototype.add
  IDBObjectStore.prototype.add = () => {
    throw new DOMException('no room', 'QuotaExceededError')
  }
  try {
    await expect(command('household.register', { household: household(), evidence: [] })).rejects.toMatchObject({ code: 'storage_full' })
  } finally {
    IDBObjectStore.prototype.add = add
  }
  expect(await db.count('records')).toBe(0)
})

test('photos that the draft did not hand on go with it', async () => {
  const id = newId()
  putDraft({ id, kind: 'visit', value: {} })
  await flushDrafts()
  const used = await photo(id, id, 'front')
  const unused = await photo(id, id, 'site')
  await command('visit.submit', { id, household: newId(), ...findings(), evidence: [toCapture(used)], signature: null }, { draft: id })
  expect(await database().getAllKeys('blobs')).toEqual([used.id])
  expect(await database().get('captures', unused.id)).toBeUndefined()
})

test('a form that is being left does not bring its draft back', async () => {
  const form = household()
  putDraft({ id: form.id, kind: 'household', value: form })
  await flushDrafts()
  const given = command('household.register', { household: form, evidence: [] }, { draft: form.id })
  putDraft({ id: form.id, kind: 'household', value: { ...form, head_name: 'late' } })
  await given
  await flushDrafts()
  expect(await draft(form.id)).toBeNull()
})

test('a second photo for a slot takes the place of the first', async () => {
  const id = newId()
  const first = await photo(id, id, 'front')
  const second = await photo(id, id, 'front')
  expect(await database().getAllKeys('captures')).toEqual([second.id])
  expect(await database().get('blobs', first.id)).toBeUndefined()
})

test('changes carry what was seen, and only fields that differ', async () => {
  const form = household({ members: [{ id: 'a', name: 'A', sex: null, birth_date: null, relationship: 'child', participant: false }] })
  await command('household.register', { household: form, evidence: [] })
  const before = (await read(form.id))!
  const members = before.members.map(({ name, id, ...rest }) => ({ ...rest, id, name }))
  expect(changesOf(before, { ...before, members, phone: '+254712345678' })).toEqual({
    phone: { was: null, now: '+254712345678' },
  })
})
