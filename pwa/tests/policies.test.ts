// The editor of policies: what ships goes through it unchanged, new keys come from words, and what does not fit is said.
import { expect, test } from 'vitest'
import { blank, blankBand, blankFactor, blankOption, blankPart, blankQuestion, tenThousandths, times, toFacts, toForm, whole } from '../src/admin/policies/form'
import { faultsOf } from '../src/admin/policies/faults'
import { shipped } from '../src/admin/policies/shipped'
import { amountOf } from '../src/grants/amount'
import { m } from '../src/paraglide/messages.js'

const [seed, performance] = shipped as [(typeof shipped)[0], (typeof shipped)[0]]
const form = () => toForm(structuredClone(seed))

test('the policies that ship come out of the editor as they went in', () => {
  for (const policy of shipped) {
    expect(faultsOf(toForm(policy), [])).toEqual({})
    expect(toFacts(toForm(policy), 'p')).toEqual({ ...policy, programme: 'p' })
  }
  expect(faultsOf(toForm(performance), ['SB'])).toEqual({})
})

test('numbers are read as people write them', () => {
  expect([12000, 10000, 9500, 11255, 500, 20000].map(times)).toEqual(['1.20', '1.00', '0.95', '1.1255', '0.05', '2.00'])
  expect(['1.2', ' 1,20', '0', '1.12345', '-1', 'x', ''].map(tenThousandths)).toEqual([12000, 12000, 0, null, null, null, null])
  expect(['', '1,200', '-3', '2.5', 'x'].map(whole)).toEqual([null, 1200, -3, NaN, NaN])
})

test('an example is counted by what was changed', () => {
  const changed = form()
  changed.base = '20,000'
  changed.factors.find(({ id }) => id === 'group_size')!.bands[2]!.by = '1.20'
  changed.most = ''
  expect(faultsOf(changed, [])).toEqual({})
  const amount = amountOf(toFacts(changed, 'p'), { group_size: 2, business: 'livestock', setting: 'town', training: 70 })
  expect(amount.factors.map(({ by }) => by)).toEqual([12000, 11500, 10000, 10000])
  expect(amount.amount_minor).toBe(2_760_000)
})

test('keys of new questions, options and factors come from their words, once each, and never change', () => {
  const changed = form()
  const asked = { ...blankQuestion(), en: 'Kind of business?', sw: 'Aina' }
  asked.options = ['Café', 'Cafe!', '…'].map((en) => ({ ...blankOption(), en, sw: en }))
  const size = { ...blankQuestion(), en: 'Group size', sw: 'Ukubwa', kind: 'whole' as const, min: '1', max: '9' }
  changed.questions.push(asked, size)
  changed.questions[0]!.en = 'What it does'
  const band = { ...blankBand(), one_of: [asked.options[1]!.id, 'gone'], by: '1.5' }
  changed.factors.push({ ...blankFactor(), en: 'Business', sw: 'Biashara', input: asked.id, bands: [band] })
  const facts = toFacts(changed, 'p')
  expect(facts.questions.map(({ key }) => key)).toEqual(['business', 'setting', 'training', 'kind_of_business', 'group_size_2'])
  expect(facts.questions[3]!.options.map(({ key }) => key)).toEqual(['cafe', 'cafe_2', 'key'])
  expect(facts.factors[4]).toMatchObject({ key: 'business_2', input: 'kind_of_business', bands: [{ one_of: ['cafe_2'], by: 15000 }] })
  expect(facts.questions[4]).toMatchObject({ kind: 'whole', min: 1, max: 9, options: [] })
})

test('an empty policy says what it lacks', () => {
  expect(Object.keys(faultsOf(toForm(blank), [])).sort()).toEqual(['base', 'en', 'key', 'sw'])
  expect(faultsOf(form(), ['sb']).key).toBe(m.policy_fault_key_taken())
  expect(faultsOf({ ...form(), key: 'SB-1' }, []).key).toBe(m.policy_fault_key())
  expect(toFacts({ ...form(), key: ' sb2 ' }, 'p').key).toBe('SB2')
})

test('parts come to a hundred, each of them something', () => {
  const changed = form()
  changed.tranches = [blankPart('60'), blankPart('30')]
  expect(Object.values(faultsOf(changed, []))).toEqual([m.policy_fault_parts({ sum: 90 })])
  changed.tranches[1]!.share = '40'
  expect(faultsOf(changed, [])).toEqual({})
  changed.tranches.push(blankPart('0'))
  expect(Object.values(faultsOf(changed, []))).toEqual([m.policy_fault_part()])
  changed.tranches = []
  expect(faultsOf(changed, []).tranches).toBe(m.policy_fault_parts({ sum: 0 }))
})

test('a factor looks at what is there, and its bands can be met', () => {
  const changed = form()
  const [size, business, , training] = changed.factors
  changed.questions = changed.questions.filter(({ id }) => id !== 'setting')
  business!.bands[0]!.one_of = []
  size!.bands[0]!.below = '20'
  size!.bands[1]!.at_least = size!.bands[1]!.below = ''
  training!.bands[0]!.by = 'a fifth'
  training!.otherwise = '12'
  training!.bands[1]!.by = '0'
  const found = faultsOf(changed, [])
  expect(found['factor.setting.input']).toBe(m.policy_fault_input())
  expect(found[`factor.business.${business!.bands[0]!.id}.one_of`]).toBe(m.policy_fault_one_of())
  expect(found[`factor.group_size.${size!.bands[0]!.id}.below`]).toBe(m.policy_fault_below())
  expect(found[`factor.group_size.${size!.bands[1]!.id}.at_least`]).toBe(m.policy_fault_band())
  expect(found[`factor.training.${training!.bands[0]!.id}.by`]).toBe(m.policy_fault_times())
  expect(found['factor.training.otherwise']).toBe(m.policy_fault_times())
  expect(Object.keys(found)).toHaveLength(7)
  changed.factors[0]!.bands = []
  expect(faultsOf(changed, [])['factor.group_size.input']).toBe(m.policy_fault_bands())
})

test('questions, bounds, days and limits are held to what they can be', () => {
  const changed = form()
  changed.questions[1]!.en = 'kind of business '
  changed.questions[2]!.min = '200'
  changed.questions[0]!.options[1]!.en = 'Agriculture'
  changed.least = '30000'
  changed.step = '0'
  changed.needs = { ...changed.needs, grant: 'SB', days_since: '1.5', rating_least: '101' }
  changed.utilisation_days = ''
  changed.expires_days = '0'
  changed.score_least = '-1'
  changed.manager_limit = 'much'
  changed.startup_most = 'x'
  const fields = Object.keys(faultsOf(changed, []))
  for (const field of ['question.setting.en', 'question.business.en', 'question.training.max', 'question.business.livestock.en', 'most', 'step', 'needs.grant', 'needs.days_since', 'needs.rating_least', 'utilisation_days', 'expires_days', 'score_least', 'manager_limit', 'startup_most'])
    expect(fields).toContain(field)
})
