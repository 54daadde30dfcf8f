// Whoever is being registered may be there already: in the order of how sure that is.
import { beforeEach, expect, test } from 'vitest'
import type { Household } from '../src/api/records'
import { database } from '../src/db/account'
import { row } from '../src/db/schema'
import { alike, why, type Typed } from '../src/queries/alike'
import { household, newPhone } from './phone'

const typed = (over: Partial<Typed>): Typed => ({ own: null, name: '', national_id: '', phone: '', place: 'village-1', ...over })
const home = (id: string, over: object = {}) =>
  ({ ...household({ id, head_name: 'Zawadi Njeri Kamau', ...over }), number: null, photo: null, photo_placeholder: null, last_visit_at: null }) as unknown as Household

test.each([
  ['the same id', { national_id: '12345678' }, { national_id: '12345678' }, 'id'],
  ['part of an id', { national_id: '2345' }, { national_id: '12345678' }, 'part_of_id'],
  ['too little of an id', { national_id: '234' }, { national_id: '12345678' }, null],
  ['another id', { national_id: '12345679' }, { national_id: '12345678' }, null],
  ['the phone in the same village', { phone: '+254712345678' }, { phone: '+254712345678' }, 'phone_in_village'],
  ['the phone elsewhere', { phone: '+254712345678', place: 'village-2' }, { phone: '+254712345678' }, 'phone'],
  ['a name like it in the same village', { name: 'kamau zawadi' }, {}, 'village'],
  ['the beginning of a name', { name: 'Zaw' }, {}, 'village'],
  ['two letters', { name: 'Za' }, {}, null],
  ['a name like it elsewhere', { name: 'kamau zawadi', place: 'village-2' }, {}, null],
  ['another name', { name: 'Zawadi Otieno' }, {}, null],
  ['nothing', {}, {}, null],
])('%s', (_, asked, there, expected) => {
  expect(why(typed(asked), home('h', there))).toBe(expected)
})

beforeEach(newPhone)

test('the surest come first, neither itself nor what was merged', async () => {
  const homes = [
    home('name'),
    home('phone', { phone: '+254712345678', place: 'village-2', head_name: 'Else' }),
    home('id', { national_id: '12345678', head_name: 'Other' }),
    home('own', { national_id: '12345678' }),
    { ...home('gone', { national_id: '12345678' }), merged_into: 'id' },
  ]
  for (const one of homes) await database().put('records', row('household', one.id, 'village-1', one))
  const asked = typed({ own: 'own', name: 'Zawadi', national_id: '12345678', phone: '+254712345678' })
  expect((await alike(asked)).map(({ hit, confidence }) => [hit.id, confidence])).toEqual([
    ['id', 'high'],
    ['phone', 'medium'],
    ['name', 'low'],
  ])
})
