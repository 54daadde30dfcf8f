// Households are found by what people know of them.
import { beforeEach, expect, test } from 'vitest'
import type { Household, Place } from '../src/api/records'
import { database } from '../src/db/account'
import { changed } from '../src/db/changes'
import { row } from '../src/db/schema'
import { search } from '../src/queries/households'
import { SearchIndex } from '../src/queries/search'
import { command } from '../src/sync/command'
import { household, newPhone } from './phone'

const place = (id: string, name: string): Place =>
  ({ id, name, parent: null, level: 2, level_name: 'village', code: id, lat: null, lon: null })

async function put(kind: 'household' | 'place', record: { id: string }): Promise<void> {
  await database().put('records', row(kind, record.id, 'village-1', record as never))
  changed([`records:${kind}`], [`${kind}:${record.id}`])
}

const family = (id: string, head_name: string, over: object = {}) =>
  ({ ...household({ id, head_name }), number: null, photo: null, photo_placeholder: null, last_visit_at: null, ...over }) as unknown as Household

beforeEach(async () => {
  await newPhone()
  await put('place', place('village-1', 'Kibera'))
  await put('place', place('village-2', 'Ngong'))
  await put('household', family('a', 'Zawadi Njeri', { national_id: '12345678', number: 'HH-2026-00007' }))
  await put('household', family('b', 'Achieng Odhiámbo', { phone: '+254712345678' }))
  await put('household', family('c', 'Baraka Mwangi', { place: 'village-2', members: [{ id: 'm', name: 'Zuhura Mwangi' }] }))
})

const found = async (text: string, where: string | null = null) => (await search(text, where)).items.map(({ id }) => id)

test.each([
  ['zawadi', ['a'], 'a first name'],
  ['njeri', ['a'], 'a second name'],
  ['ODHIAMBO ach', ['b'], 'words in any order, without accents'],
  ['3456', ['a', 'b'], 'part of the id, then part of the phone'],
  ['0712345', ['b'], 'a phone as people write it'],
  ['+254712', ['b'], 'a phone as it is stored'],
  ['ngong', ['c'], 'a village'],
  ['zuhura', ['c'], 'a member'],
  ['z', ['a', 'c'], 'the head before the member'],
  ['00007', ['a'], 'the number'],
  ['nobody', [], 'nobody'],
])('%s', async (text, ids) => {
  expect(await found(text)).toEqual(ids)
})

test('everyone by name, in one village or all', async () => {
  expect(await found('')).toEqual(['b', 'c', 'a'])
  expect(await found('', 'village-2')).toEqual(['c'])
  expect((await search('', null, 2)).total).toBe(3)
  expect((await search('zu')).items[0]).toMatchObject({ matched: 'member', place_name: 'Ngong', waiting: false })
})

test('what changes is found as it is now', async () => {
  expect(await found('achieng')).toEqual(['b'])
  await command('household.update', { id: 'b', changes: { head_name: { was: 'Achieng Odhiámbo', now: 'Wanjiku' } } })
  expect(await found('achieng')).toEqual([])
  expect((await search('wanjiku')).items).toMatchObject([{ id: 'b', waiting: true }])
  const form = household({ head_name: 'Atieno' })
  await command('household.register', { household: form, evidence: [] })
  expect(await found('atieno')).toEqual([form.id])
  await database().delete('records', ['household', 'a'])
  changed(['records:household'], null)
  expect(await found('zawadi')).toEqual([])
})

test('ten thousand are one index; each is found', () => {
  const index = new SearchIndex()
  const all = Array.from({ length: 10_000 }, (_, i) => family(`h${i}`, `Name${i} Family${i % 97}`, { phone: `+2547${10_000_000 + i}` }))
  index.fill(all, [place('village-1', 'Kibera')])
  expect(index.find('name4711', null)).toHaveLength(1)
  expect(index.find('family5', null).length).toBeGreaterThan(100)
  expect(index.find('0710004711', null).map(({ entry }) => entry.household.id)).toEqual(['h4711'])
  expect(index.find('710099999', null)).toEqual([])
})
