// How what people are told of comes together in groups, and what a folded one says.
import { expect, test } from 'vitest'
import type { KindWords } from '../src/api/told'
import { changedOf, grouped, summary, taken } from '../src/me/told'

const kind = (key: string, group: KindWords['group'], by: KindWords['by'] = ['push']): KindWords =>
  ({ kind: key, group, by, en: key, sw: key }) as KindWords
const words = [kind('grant_a', 'grants'), kind('visit_a', 'visits'), kind('visit_b', 'visits'), kind('visit_c', 'visits')]
const [, visits] = [0, grouped(words)[0]!]
const CHANNELS = ['push', 'email', 'sms'] as KindWords['by']

test('groups come in their own order, and empty ones not at all', () => {
  expect(grouped(words).map(({ key, words: inside }) => [key, inside.length])).toEqual([['visits', 3], ['grants', 1]])
})

test('a folded group says by which ways, and how many are changed', () => {
  const usual = { visit_a: ['push'], visit_b: ['push'], visit_c: ['push'] }
  expect(summary(visits.words, usual, CHANNELS)).toBe('On the phone')
  expect(summary(visits.words, { ...usual, visit_a: ['push', 'email'], visit_b: ['sms', 'push'] }, CHANNELS)).toBe('On the phone · 2 changed')
  expect(summary(visits.words, { ...usual, visit_a: [] }, CHANNELS)).toBe('Different ways · 1 changed')
  expect(summary(visits.words, { visit_a: [], visit_b: [], visit_c: [] }, CHANNELS)).toBe('In the inbox only · 3 changed')
})

test('what all take and what some take are told apart', () => {
  const kinds = { visit_a: ['push', 'sms'], visit_b: ['push'], visit_c: ['push'] }
  expect(taken(visits.words, kinds, CHANNELS)).toEqual({ all: ['push'], some: ['sms'] })
  expect(changedOf(visits.words, kinds).map((one) => one.kind)).toEqual(['visit_a'])
  expect(changedOf(visits.words, {})).toEqual([])
})
