// What is typed is on disk within 150 ms, however fast someone types.
import { beforeEach, expect, test, vi } from 'vitest'
import { database } from '../src/db/account'
import { deleteDraft, draft, drafts, flushDrafts, putDraft, saved } from '../src/drafts'
import { newId } from '../src/ids'
import { newPhone, photo } from './phone'

beforeEach(newPhone)

test('typing without a pause is written all the same, and the last key too', async () => {
  // The clock of the fingers, not of a machine that may do other things: the database works by its own.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const id = newId()
  const lengths = new Set<number>()
  for (let i = 1; i < 60; i++) {
    putDraft({ id, kind: 'visit', value: { text: 'x'.repeat(i) } })
    expect(saved(id)).toBe(false)
    await vi.advanceTimersByTimeAsync(8)
    const kept = (await draft(id))?.value as { text: string } | undefined
    if (kept) lengths.add(kept.text.length)
  }
  // Written now and then: neither only at the end nor at each key.
  expect(lengths.size).toBeGreaterThan(1)
  expect(lengths.size).toBeLessThanOrEqual(6)
  await vi.advanceTimersByTimeAsync(80)
  vi.useRealTimers()
  await vi.waitFor(() => expect(saved(id)).toBe(true))
  expect((await draft(id))!.value).toEqual({ text: 'x'.repeat(59) })
})

test('the value is copied when it is handed in', async () => {
  const id = newId()
  const form = { text: 'as typed' }
  putDraft({ id, kind: 'household', value: form })
  form.text = 'changed later'
  await flushDrafts()
  expect((await draft(id))!.value).toEqual({ text: 'as typed' })
})

test('several drafts live side by side, latest first, and keep when they were begun', async () => {
  vi.useFakeTimers({ now: 1_000, toFake: ['Date'] })
  const [a, b] = [newId(), newId()]
  putDraft({ id: a, kind: 'visit', household: 'h', value: 1 })
  await flushDrafts()
  vi.setSystemTime(2_000)
  putDraft({ id: b, kind: 'visit', value: 2 })
  await flushDrafts()
  vi.setSystemTime(3_000)
  putDraft({ id: a, kind: 'visit', value: 3 })
  await flushDrafts()
  vi.useRealTimers()
  expect(await drafts()).toMatchObject([{ id: a, created_at: 1_000, updated_at: 3_000, household: 'h' }, { id: b }])
})

test('a full phone is said, and what was typed is tried again', async () => {
  const { draftError } = await import('../src/drafts')
  const id = newId()
  const put = IDBObjectStore.prototype.put
  IDBObjectStore.prototype.put = () => {
    throw new DOMException('no room', 'QuotaExceededError')
  }
  putDraft({ id, kind: 'visit', value: 'kept' })
  await flushDrafts()
  expect(draftError.current).toMatchObject({ code: 'storage_full' })
  expect(saved(id)).toBe(false)
  IDBObjectStore.prototype.put = put
  await flushDrafts()
  expect(draftError.current).toBeNull()
  expect((await draft(id))!.value).toBe('kept')
})

test('a draft thrown away takes its photos along', async () => {
  const id = newId()
  putDraft({ id, kind: 'visit', value: {} })
  await flushDrafts()
  await photo(id, id, 'front')
  expect((await draft(id))!.captures).toHaveLength(1)
  await deleteDraft(id)
  expect(await database().count('blobs')).toBe(0)
  expect(await drafts()).toEqual([])
})
