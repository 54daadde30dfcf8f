// Mappings and tables of faults.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { csv, FIELDS, mappingFault } from './imports'
import { faultWords, fieldLabel } from './imports-words'

test('a mapping needs a name and a place, each once', () => {
  expect(mappingFault('households', ['head_name', '', 'village'])).toBeNull()
  expect(mappingFault('households', ['first_name', 'place_code'])).toBeNull()
  expect(mappingFault('households', ['head_name', 'county'])).toBe('incomplete')
  expect(mappingFault('households', ['head_name', 'village', 'head_name'])).toEqual({ twice: 'head_name' })
  expect(mappingFault('places', ['code', 'name'])).toBeNull()
  expect(mappingFault('places', ['code', ''])).toBe('incomplete')
})

test('a table is what spreadsheets open, and no formula', () => {
  expect(csv([['Row', 'What'], [2, 'a, "b"'], [3, '=1+1'], [4, 'two\nlines']])).toBe(
    '\uFEFFRow,What\r\n2,"a, ""b"""\r\n3,\'=1+1\r\n4,"two\nlines"\r\n',
  )
})

test('every field and every fault of the server has words', () => {
  const source = readFileSync('../server/src/imports/fields.rs', 'utf8')
  const fields = [...source.matchAll(/\(\s*"(\w+)",\s*"[^"]*",\s*&\[/g)].map(([, key]) => key!)
  expect([...new Set(fields)].sort()).toEqual([...new Set([...FIELDS.households, ...FIELDS.places])].sort())
  for (const field of fields) expect(fieldLabel(field)).not.toBe(field)
  const codes = [...readFileSync('../server/src/imports/values.rs', 'utf8').matchAll(/^ {8}"(\w+)" => "/gm)].map(([, code]) => code!)
  expect(codes.length).toBeGreaterThan(20)
  for (const code of codes) {
    const fault = { row: 2, column: 'x', field: 'x', code, message: 'English', other_row: 7 }
    expect([code, faultWords(fault)]).not.toEqual([code, 'English'])
    expect(faultWords(fault)).not.toContain('{')
  }
})
