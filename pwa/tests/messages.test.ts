// Every text exists in both languages, with the same placeholders, and every error code has words.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as compiled from '../src/paraglide/messages.js'
import { importProblem } from '../src/imports/imports-words'
import { setAsideText } from '../src/problems'

const read = (language: string) => JSON.parse(readFileSync(`messages/${language}.json`, 'utf8')) as Record<string, unknown>
const keys = (messages: object) => Object.keys(messages).filter((key) => key !== '$schema').sort()
const holes = (message: unknown) => [...new Set([...JSON.stringify(message).matchAll(/\{(\w+)\}/g)].map(([, name]) => name))].sort()

const en = read('en')
const sw = read('sw')

test('English and Swahili have the same keys', () => expect(keys(sw)).toEqual(keys(en)))

test('and the same placeholders', () => {
  for (const key of keys(en)) expect([key, holes(sw[key])]).toEqual([key, holes(en[key])])
})

test('each is compiled', () => {
  for (const key of keys(en)) expect(compiled.m).toHaveProperty(key)
})

test('every code that this app raises has words', () => {
  const codes = new Set<string>()
  for (const name of readdirSync('src', { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts') || name.includes('paraglide')) continue
    for (const [, code] of readFileSync(`src/${name}`, 'utf8').matchAll(/new Problem\('(\w+)'/g)) codes.add(code!)
  }
  expect(codes.size).toBeGreaterThan(10)
  expect([...codes].filter((code) => !(`error_${code}` in en)).sort()).toEqual([])
})

/** What only a program can have done wrong, or an administrator of the installation on its command line. */
const TO_PROGRAMS = [
  'batch_too_large', 'checksum', 'checksum_algorithm', 'cut', 'gzip_invalid', 'invalid_cursor', 'key_expired', 'key_invalid', 'keys_in_use', 'length',
  'length_deferred', 'mapping_incomplete', 'metadata', 'not_empty', 'offset', 'refresh_challenge', 'stats_too_large', 'tus_version',
  'unsupported_encoding',
]

test('every refusal of the server that a person may meet has words in their language', () => {
  const codes = new Set<string>()
  for (const name of readdirSync('../server/src', { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.rs')) continue
    const source = readFileSync(`../server/src/${name}`, 'utf8')
    for (const [, code] of source.matchAll(/Error::(?:(?:refused|conflict|unauthorised|bad_request)\(|new\(\s*StatusCode::\w+,)\s*"(\w+)"/g)) codes.add(code!)
  }
  expect(codes.size).toBeGreaterThan(120)
  // These two are said by the sentence that all others without words get, too.
  const mute = [...codes].filter((code) => !['bad_request', 'unexpected'].includes(code) && importProblem({ code }) === importProblem({}))
  expect(mute.sort()).toEqual(TO_PROGRAMS)
})

test('every reason for which the server sets a photo aside has its own words', () => {
  const source = readFileSync('../media/src/quarantine.rs', 'utf8')
  const codes = [...source.matchAll(/Self::\w+ => "(\w+)",\n/g)].map(([, code]) => code!)
  expect(codes.length).toBeGreaterThanOrEqual(8)
  const said = codes.map((code) => setAsideText(code))
  expect(new Set([...said, setAsideText('something new')]).size).toBe(codes.length + 1)
  for (const code of codes) expect([en[`set_aside_${code}`], sw[`set_aside_${code}`]]).not.toContain(undefined)
})
