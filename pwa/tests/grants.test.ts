// Grants before the server has answered: amounts, forms, who may do what, payment files, receipts.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import pr from '../../instruments/policy-PR-1.json'
import sb from '../../instruments/policy-SB-1.json'
import type { Grant, Policy, PolicyFacts, Tranche } from '../src/api/grants'
import { amountOf, factorOf, type Inputs } from '../src/grants/amount'
import { readAmount, readCsv, readDay } from '../src/grants/csv'
import { answersOf, faults, formOf, itemOf, signingOf, sumOf, type GrantForm } from '../src/grants/form'
import { guess, matchRows, partReference, payable } from '../src/grants/match'
import { offersOf, partOffersOf } from '../src/grants/moves'
import { askedOf, underWay } from '../src/grants/needs'
import { inWords } from '../src/grants/number-words'
import { codeOf, compare, readCode } from '../src/grants/receipt'
import { faultsOf, receivedOf, spentOf } from '../src/grants/spending'
import ways from '../src/grants/ways.json'
import { csv } from '../src/imports/imports'

const DAY = 86_400_000
const seed = { ...(sb as unknown as PolicyFacts), programme: 'p', id: 'seed', version: 1 } as Policy
const performance = { ...(pr as unknown as PolicyFacts), programme: 'p', id: 'perf', version: 1 } as Policy
const part = (over: Partial<Tranche> = {}): Tranche => ({
  id: 't1', number: 1, amount_minor: 1_500_000, state: 'scheduled', method: null, reference: '', released_by: null, released_on: null, released_at: null,
  acknowledgement: null, acknowledged_by: null, acknowledged_at: null, note: '', ...over,
})
const grant = (over: Partial<Grant> = {}): Grant => ({
  id: 'g1', number: 'GRT-2026-00001', place: 'v', programme: 'p', policy: seed, household: 'h', group: null, savings_group: null, households: ['h'],
  plan: { description: '', projected_income_minor: 0, monthly_expenses_minor: 0, startup_minor: 0, items: [] }, answers: {},
  amount: { base_minor: 1_500_000, factors: [], raw_minor: 1_500_000, amount_minor: 1_500_000, clamped: null }, phone_amount_minor: null, note: '', state: 'submitted',
  submitted_by: 'mentor', submitted_at: 1, reviewed_by: null, review_score: null, approved_by: null, approved_at: null, tranches: [], utilisation: null, history: [],
  created_at: 1, updated_at: 1, revision: 3, ...over,
})

test.each([
  [{ group_size: 1, business: 'retail', setting: 'town', training: 75 }, 1_350_000, null],
  [{ group_size: 3, business: 'retail', setting: 'rural', training: 92 }, 1_559_300, null],
  [{ group_size: 8, business: 'service', setting: 'town', training: 60 }, 1_500_000, null],
  [{ group_size: 20, business: 'livestock', setting: 'remote', training: 100 }, 2_390_900, null],
  [{ group_size: 15, business: 'processing', setting: 'town', training: 89 }, 1_815_000, null],
  [{ group_size: 1, business: 'skill', setting: 'town', training: 10 }, 1_282_500, null],
  [{}, 1_500_000, null],
])('the seed grant of %j is %i', (inputs, amount, clamped) => {
  expect(amountOf(seed, inputs as Inputs)).toMatchObject({ amount_minor: amount, clamped })
})

test('it is held between least and most, and rounded half up to its step', () => {
  const plain = { ...seed, factors: [], least_minor: 1_000, most_minor: 2_000, step_minor: 100 }
  expect(amountOf({ ...plain, base_minor: 900 }, {})).toMatchObject({ raw_minor: 900, amount_minor: 1_000, clamped: 'least' })
  expect(amountOf({ ...plain, base_minor: 2_100 }, {})).toMatchObject({ amount_minor: 2_000, clamped: 'most' })
  expect([1_449, 1_450, 1_550].map((base_minor) => amountOf({ ...plain, base_minor }, {}).amount_minor)).toEqual([1_400, 1_500, 1_600])
  const factor = seed.factors[0]!
  expect([7, 8, 14, 15, 20].map((group_size) => factorOf(factor, { group_size }))).toEqual([9_000, 10_000, 10_000, 11_000, 12_000])
})

test('amounts meet the table that the server meets', () => {
  interface Case {
    policy: 'SB' | 'PR' | PolicyFacts
    households: number
    answers: Inputs
    amount: object
  }
  const table = JSON.parse(readFileSync('../tests/fixtures/grants/amounts.json', 'utf8')) as Case[]
  expect(table.length).toBeGreaterThan(50)
  for (const { policy, households, answers, amount } of table) {
    const by = policy === 'SB' ? seed : policy === 'PR' ? performance : policy
    expect([answers, amountOf(by, { ...answers, group_size: households })]).toEqual([answers, amount])
  }
})

const filled = (over: Partial<GrantForm> = {}): GrantForm => ({
  ...formOf(null, 'h', null), policy: 'seed', description: 'Sells flour and soap', income: '12,000', expenses: '8000', startup: '10000',
  answers: { business: 'retail', setting: 'rural', training: '92' },
  items: [{ key: 'a', what: 'Stock', quantity: '2', unit: '7000' }, { key: 'b', what: 'Scales', quantity: '1', unit: '1593' }],
  signings: { h: { ...signingOf('Mama', 'sw'), ink: { strokes: [], width: 1, height: 1, text: 't', language: 'sw' }, amount_minor: 1_559_300 } }, ...over,
})
const steps = (form: GrantForm, more: object = {}) => {
  const facts = { policy: seed, households: ['h'], amount: amountOf(seed, { group_size: 1, ...answersOf(seed, form.answers).answers }), missing: false, has: false, currency: 'KES', ...more }
  return faults(form, facts).map(({ step, field }) => `${step} ${field}`)
}

test('a whole form has no faults, and each gap is named with its step', () => {
  expect(steps(filled())).toEqual([])
  expect(steps(filled(), { policy: null, amount: null })).toContain('policy policy')
  expect(steps(filled(), { missing: true })).toEqual(['policy policy'])
  expect(steps(filled({ description: 'x', income: 'much', expenses: '' }))).toEqual(expect.arrayContaining(['plan description', 'plan income', 'plan expenses']))
  expect(steps(filled({ income: '7000' }))).toEqual(['plan income'])
  expect(steps(filled({ startup: '31187' }))).toEqual(['plan startup'])
  expect(steps(filled({ startup: '0' }))).toEqual([])
  expect(steps(filled({ answers: { business: 'retail', setting: 'moon', training: '101' } }))).toEqual(
    expect.arrayContaining(['amount answer-setting', 'amount answer-training']),
  )
  expect(steps(filled({ items: [{ key: 'a', what: 'Stock', quantity: '2', unit: '7000' }] }))).toEqual(['items items'])
  expect(steps(filled({ items: [{ key: 'a', what: '', quantity: '1', unit: '15593' }] }))).toEqual(['items items'])
})

test('a signature under another amount does not count', () => {
  expect(steps(filled({ answers: { business: 'retail', setting: 'town', training: '92' } }))).toEqual(expect.arrayContaining(['signatures sign-h']))
  expect(steps(filled({ signings: {} }))).toEqual(['signatures sign-h'])
})

test('rows of items are counted as they are typed', () => {
  expect(sumOf(filled().items)).toBe(1_559_300)
  expect(itemOf({ key: 'a', what: ' Goat ', quantity: '0', unit: '5' })).toBeNull()
  expect(itemOf({ key: 'a', what: ' Goat ', quantity: '3', unit: '5.50' })).toEqual({ what: 'Goat', quantity: 3, unit_minor: 550 })
})

test('what must have happened before is looked up for every household', () => {
  const had = grant({ state: 'closed', households: ['h'], tranches: [part({ state: 'acknowledged', acknowledged_at: 100 * DAY })], utilisation: { state: 'verified' } as never })
  const ladder = [1, 8].map((number) => ({ number, state: 'completed' }) as never)
  const known = { now: 300 * DAY, grants: [had], group: { health: 'yellow' as const }, ladders: new Map([['h', ladder]]), rating: 71 }
  expect(askedOf(performance, ['h'], known).map(({ need, met }) => [need, met])).toEqual([
    ['grant', true], ['utilised', true], ['days_since', true], ['health', true], ['milestone', true], ['milestone', true], ['rating', true],
  ])
  const unmet = (more: object, homes = ['h']) => askedOf(performance, homes, { ...known, ...more }).filter(({ met }) => !met).map(({ need }) => need)
  expect(unmet({ now: 279 * DAY })).toEqual(['days_since'])
  expect(unmet({ group: { health: 'red' } })).toEqual(['health'])
  expect(unmet({ group: null, rating: null })).toEqual(['health', 'rating'])
  expect(unmet({ grants: [{ ...had, state: 'disbursing' as const }] })).toEqual(['grant', 'utilised', 'days_since'])
  expect(unmet({}, ['h', 'other'])).toEqual(['grant', 'utilised', 'days_since', 'milestone', 'milestone'])
  expect(askedOf(seed, ['h'], known)).toEqual([])
  expect(underWay(seed, ['h'], [had], 'new')?.id).toBe('g1')
  expect(underWay(seed, ['h'], [{ ...had, state: 'rejected' }], 'new')).toBeNull()
})

const can = (...capabilities: string[]) => (asked: string) => capabilities.includes(asked)
const names = (given: Grant, me: string, ...capabilities: string[]) => offersOf(given, me, can(...capabilities)).map(({ action, barrier }) => (barrier ? `${action}!${barrier}` : action))

test('nobody is offered the next step of what they did themselves', () => {
  expect(Object.keys(ways)).toHaveLength(13)
  expect(names(grant(), 'mentor', 'grants.prepare', 'grants.review')).toContain('review!submitted')
  expect(names(grant(), 'other', 'grants.review')).toEqual(['review', 'return', 'reject'])
  const recommended = grant({ state: 'recommended', reviewed_by: 'reviewer' })
  expect(names(recommended, 'reviewer', 'grants.review', 'grants.approve')).toContain('approve!reviewed')
  expect(names(recommended, 'boss', 'grants.approve')[0]).toBe('approve')
  expect(names({ ...recommended, policy: { ...seed, manager_limit_minor: 1_499_999 } }, 'manager', 'grants.approve_within')).toContain('approve!over_limit')
  expect(names({ ...recommended, policy: { ...seed, manager_limit_minor: 1_500_000 } }, 'manager', 'grants.approve_within')).toContain('approve')
  expect(names(grant({ state: 'returned' }), 'mentor', 'grants.prepare')).toContain('submit')
  const due = { state: 'disbursing', utilisation: { state: 'due' } } as never
  expect(names(grant({ ...(due as object), tranches: [part({ state: 'acknowledged' })] }), 'mentor', 'grants.prepare')).toContain('utilise')
  expect(names(grant({ ...(due as object), tranches: [part({ state: 'disputed' })] }), 'mentor', 'grants.prepare')).not.toContain('utilise')
  const use = { state: 'submitted', submitted_by: 'mentor' } as never
  expect(names(grant({ state: 'disbursed', utilisation: use }), 'mentor', 'grants.review')).toContain('verify!reported')
  expect(names(grant({ state: 'disbursed', utilisation: use }), 'other', 'grants.review')).toEqual(['verify', 'return_use'])
  expect(names(grant({ state: 'closed' }), 'boss', 'grants.approve', 'grants.review', 'grants.release')).toEqual([])
})

test('a part is paid, received and taken back by different people', () => {
  const paying = grant({ state: 'approved', approved_by: 'boss', reviewed_by: 'reviewer', tranches: [part()] })
  const of = (state: Tranche['state'], me: string, ...capabilities: string[]) =>
    partOffersOf({ ...paying, state: 'disbursing' }, part({ state, released_by: 'cashier' }), me, can(...capabilities)).map(({ action, barrier }) => (barrier ? `${action}!${barrier}` : action))
  expect(partOffersOf(paying, part(), 'boss', can('grants.release'))).toEqual([{ action: 'release', barrier: 'approved' }])
  expect(partOffersOf(paying, part(), 'cashier', can('grants.release'))).toEqual([{ action: 'release', barrier: null }])
  expect(of('released', 'cashier', 'grants.prepare', 'grants.release')).toContain('acknowledge!released')
  expect(of('released', 'mentor', 'grants.prepare')).toEqual(['acknowledge', 'dispute'])
  expect(of('disputed', 'cashier', 'grants.release')).toEqual(['fail', 'reverse'])
  expect(of('disputed', 'other', 'grants.review')).toEqual([])
  const disputed = part({ state: 'disputed', acknowledgement: 'k' })
  expect(partOffersOf(paying, disputed, 'other', can('grants.review'))).toEqual([{ action: 'uphold', barrier: null }])
})

test('tables of banks are read whatever parts their columns', () => {
  expect(readCsv('\uFEFFa;b\r\n"x;1";"say ""hi"""\r\n\r\n;\r\n')).toEqual([['a', 'b'], ['x;1', 'say "hi"']])
  expect(readCsv('a,b\n1,"two\nlines"')).toEqual([['a', 'b'], ['1', 'two\nlines']])
  expect(['KES 15,000.00', '15.000,50', '15000', '1 500', "2'000.5", 'x', '', '1,5,0'].map(readAmount)).toEqual([1_500_000, 1_500_050, 1_500_000, 150_000, 200_050, null, null, null])
  expect(['2026-11-29', '29/11/2026', '9.1.2026 10:40', '31/02/2026', 'soon'].map(readDay)).toEqual(['2026-11-29', '2026-11-29', '2026-01-09', null, null])
})

test('each row of a payment file finds its part, or says why not', () => {
  const grants = [
    grant({ state: 'approved', approved_by: 'boss', tranches: [part(), part({ id: 't2', number: 2, amount_minor: 500_000 })] }),
    grant({ id: 'g2', number: 'GRT-2026-00002', state: 'disbursing', tranches: [part({ id: 't3', state: 'released' })] }),
    grant({ id: 'g3', number: 'GRT-2026-00012', state: 'approved', approved_by: 'me', tranches: [part({ id: 't4' })] }),
    grant({ id: 'g4', number: 'GRT-2026-00004', state: 'approved', tranches: [part({ id: 't5' }), part({ id: 't6', number: 2 })] }),
  ]
  const header = ['Completed', 'Details', 'Paid out', 'Receipt No.', 'Channel']
  const columns = guess(header)
  expect(columns).toEqual({ date: 0, grant: 1, amount: 2, reference: 3, method: 4 })
  const rows = [
    header,
    ['28/11/2026', 'Payment GRT-2026-00001 to Mama', '15,000.00', 'QA1', 'M-PESA'],
    ['28/11/2026', 'GRT-2026-00001/2', '5,000', 'QA2', ''],
    ['28/11/2026', 'GRT-2026-00001', '15,000', 'QA3', ''],
    ['28/11/2026', 'GRT-2026-00002', '15,000', 'QA4', ''],
    ['28/11/2026', 'GRT-2026-00009', '15,000', 'QA5', ''],
    ['28/11/2026', 'GRT-2026-00012', '15,000', 'QA6', ''],
    ['28/11/2026', 'GRT-2026-00004', '14,000', 'QA7', ''],
    ['28/11/2026', 'GRT-2026-00004', '15,000', 'QA8', 'bank transfer'],
    ['28/11/2026', 'GRT-2026-00004', '15,000', 'QA9', ''],
    ['28/11/2026', 'GRT-2026-00004/2', '15,000', 'QA9', ''],
    ['30/11/2026', 'GRT-2026-00004/2', '15,000', 'QA10', ''],
  ]
  const found = matchRows(rows, columns, grants, 'me', { method: 'cash', released_on: '2026-11-29' }, '2026-11-29')
  expect(found.map((row) => [row.found, row.part?.id ?? null])).toEqual([
    ['matched', 't1'], ['matched', 't2'], ['twice', 't1'], ['already_released', 't3'], ['not_found', null], ['not_yours', 't4'],
    ['other_amount', 't5'], ['matched', 't5'], ['matched', 't6'], ['twice', 't6'], ['unreadable', 't6'],
  ])
  expect(found[0]).toMatchObject({ row: 2, method: 'mobile_money', reference: 'QA1', released_on: '2026-11-28', amount_minor: 1_500_000 })
  expect([found[1]!.method, found[7]!.method]).toEqual(['cash', 'bank'])
  expect(payable(grants).map(({ grant: each, part: one }) => partReference(each, one))).toEqual([
    'GRT-2026-00001/1', 'GRT-2026-00001/2', 'GRT-2026-00012/1', 'GRT-2026-00004/1', 'GRT-2026-00004/2',
  ])
})

test('a name that looks like a formula is none in a spreadsheet', () => {
  expect(csv([['=cmd|calc', '+254712', 'Mama'], [-5, '"x"', '@a']])).toBe(`\uFEFF'=cmd|calc,'+254712,Mama\r\n-5,"""x""",'@a\r\n`)
})

test('amounts are said as they are written on cheques', () => {
  expect(inWords(1_500_000, 'KES', 'en')).toBe('Fifteen thousand Kenya shillings')
  expect(inWords(1_559_350, 'KES', 'en')).toBe('Fifteen thousand five hundred and ninety-three Kenya shillings and fifty cents')
  expect(inWords(100_000_500, 'XOF', 'en')).toBe('One million and five XOF')
  expect(inWords(1_500_000, 'KES', 'sw')).toBe('Shilingi za Kenya elfu kumi na tano')
  expect(inWords(1_000_500, 'KES', 'sw')).toBe('Shilingi za Kenya elfu kumi, na tano')
  expect(inWords(25_050_000, 'KES', 'sw')).toBe('Shilingi za Kenya laki mbili, elfu hamsini, mia tano')
  expect(inWords(1_559_350, 'KES', 'sw')).toBe('Shilingi za Kenya elfu kumi na tano, mia tano na tisini na tatu na senti hamsini')
})

test('a receipt is genuine, unknown, or does not fit', () => {
  const paid = grant({ state: 'disbursed', tranches: [part({ state: 'acknowledged' })] })
  const acknowledgement = { id: 'k', grant: 'g1', tranche: 't1', amount_minor: 1_500_000, received_at: 5 * DAY, counted: true } as never
  const signature = { sha256: 'ab'.repeat(32) }
  const kept = { grant: paid, acknowledgement, signature }
  const text = codeOf(paid, acknowledgement, signature, 'KES')
  expect(text).toMatch(/^KILELE-R1\.[\w-]+$/)
  const code = readCode(` ${text.slice(0, 40)}\n${text.slice(40)} `)!
  expect(code).toEqual({ g: 'GRT-2026-00001', t: 1, a: 1_500_000, c: 'KES', d: 5 * DAY, k: 'k', h: 'ab'.repeat(16) })
  expect(compare(code, kept, 'KES')).toEqual({ verdict: 'genuine', differing: [] })
  expect(compare(readCode(codeOf({ ...paid, number: null }, acknowledgement, signature, 'KES'))!, kept, 'KES').verdict).toBe('genuine')
  expect(compare(code, null, 'KES').verdict).toBe('unknown')
  expect(compare(code, { ...kept, signature: null }, 'KES').verdict).toBe('unknown')
  expect(compare({ ...code, a: 9_900_000, h: 'cd'.repeat(16) }, kept, 'KES')).toEqual({ verdict: 'unfit', differing: ['amount', 'signature'] })
  expect(compare({ ...code, g: 'GRT-1', t: 2, c: 'USD', d: 9 * DAY }, kept, 'KES').differing).toEqual(['grant', 'part', 'currency', 'date'])
  for (const wrong of ['', 'KILELE-R1.', 'KILELE-R1.e30', 'KILELE-R2.' + text.slice(10), text.slice(0, -9), 'http://x', 'KILELE-R1.%%%']) expect(readCode(wrong)).toBeNull()
})

test('a report on use names its gaps and its sum', () => {
  const row = (over: object) => ({ key: 'a', what: 'Flour', amount: '1,200', on: '2026-11-28', ...over })
  const form = (...items: ReturnType<typeof row>[]) => ({ grant: 'g', items, note: '' })
  expect(faultsOf(form(row({})), 1, '2026-11-29')).toEqual({})
  expect(Object.keys(faultsOf(form(row({ amount: 'x' })), 0, '2026-11-29'))).toEqual(['spent-a', 'receipts'])
  expect(Object.keys(faultsOf(form(row({ on: '2026-11-30' })), 1, '2026-11-29'))).toEqual(['spent-a'])
  expect(Object.keys(faultsOf(form(row({ what: '', amount: '' })), 1, '2026-11-29'))).toEqual(['spent-a'])
  expect(spentOf([row({}), row({ amount: '' }), row({ amount: '300.50' })])).toBe(150_050)
  expect(receivedOf(grant({ tranches: [part({ state: 'acknowledged' }), part({ state: 'released' })] }))).toBe(1_500_000)
})
