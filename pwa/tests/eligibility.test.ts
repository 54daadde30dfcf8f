// The phone's interpreter meets the same tables as the server's.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { Answers } from '../src/api/records'
import { answersOf, knownOf } from '../src/assess/form'
import { count, misfits } from '../src/assess/instrument'
import { instrument, instruments } from '../src/assess/instruments'
import { movesOf } from '../src/assess/moves'
import ways from '../src/assess/ways.json'
import { household } from './phone'

interface Case {
  name: string
  answers: Answers
  factors: Record<string, number>
  score: number
  outcome: string
  failed: string[]
}

for (const { key, version } of instruments) {
  const cases = JSON.parse(readFileSync(`../tests/fixtures/eligibility/${key}-${version}.json`, 'utf8')) as Case[]
  test(`${key} ${version} meets its ${cases.length} cases`, () => {
    expect(cases.length).toBeGreaterThanOrEqual(40)
    for (const { name, answers, ...expected } of cases) {
      const by = instrument(key, version)!
      expect([name, misfits(by, answers)]).toEqual([name, []])
      const { score, outcome, failed, factors } = count(by, answers)
      const points = Object.fromEntries(factors.map((factor) => [factor.key, factor.points]))
      expect([name, { score, outcome, failed, factors: points }]).toEqual([name, expected])
    }
  })
}

test('answers that do not fit are named', () => {
  const weighted = instrument('weighted', 1)!
  expect(instrument('weighted', 99)).toBeNull()
  const given = { income: '2,500', ppi: '', assets: ['radio'], disability: 'yes', female_head: 'no', head_age: '7', under_fives: 'x' }
  const answers = answersOf(weighted, given)
  expect(answers).toMatchObject({ income: 2500, assets: ['radio'], disability: true, female_head: false, head_age: 7 })
  expect(answers).not.toHaveProperty('ppi')
  const wrong = misfits(weighted, answers)
  expect(wrong).toEqual(expect.arrayContaining(['head_age', 'under_fives', 'adults', 'clean_water']))
  for (const key of ['ppi', 'income', 'assets', 'disability']) expect(wrong).not.toContain(key)
})

test('what the household’s record has is known beforehand', () => {
  const home = { ...household({ head_sex: 'female', monthly_income_minor: 250_050, electricity: false }), number: null } as never
  expect(knownOf(home)).toMatchObject({ income: '2501', female_head: 'yes', electricity: 'no', clean_water: null, household_size: null })
})

test('nobody is offered a second look at their own, and mentors only what is theirs', () => {
  const enrolment = { state: 'qualified', mentor: 'm', assessed_by: 'm', to_mentor: null } as never
  const supervisor = (capability: string) => ['programmes.assess', 'enrolments.decide'].includes(capability)
  const mentor = (capability: string) => capability === 'programmes.assess'
  expect(movesOf(enrolment, 's', supervisor)[0]).toBe('approve')
  expect(movesOf(enrolment, 'm', supervisor)).not.toContain('approve')
  expect(movesOf(enrolment, 'm', mentor)).toEqual(['withdraw'])
  expect(movesOf(enrolment, 'other', mentor)).toEqual([])
  const handed = { state: 'transferred', mentor: 'm', assessed_by: 'm', to_mentor: 'n' } as never
  expect([movesOf(handed, 'n', mentor), movesOf(handed, 'm', mentor)]).toEqual([['take_over'], []])
  expect(Object.keys(ways)).toHaveLength(13)
})
