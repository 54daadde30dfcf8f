// When a rung is due and late, what comes next, who is shown of a caseload and in which order, what may be done by hand.
import { expect, test } from 'vitest'
import milestones from '../../instruments/milestones-1.json'
import type { Milestone, MilestoneState } from '../src/api/grants'
import type { Cycle, Enrolment } from '../src/api/records'
import { countsOf, daysSince, longestStuck, narrow, none, type Climber } from '../src/ladder/caseload'
import { doorOf } from '../src/ladder/doors'
import { movesOf } from '../src/ladder/moves'
import { planOf } from '../src/ladder/plan'
import ways from '../src/ladder/ways.json'
import { dueLabel } from '../src/ladder/words'

/** Local midnight. */
const on = (date: string, hour = 0) => new Date(`${date}T${String(hour).padStart(2, '0')}:00:00`).getTime()

const rungs = (done: Record<number, MilestoneState> = {}, at: Record<number, number> = {}): Milestone[] =>
  milestones.milestones.map(({ number }) => ({
    number, state: done[number] ?? 'not_started', at: at[number] ?? null, by: null, reason: '', cause: null, subject: null,
  }))
const enrolment = (over: Partial<Enrolment> = {}): Enrolment =>
  ({
    id: 'e', number: null, household: 'h', place: 'p', programme: 'g', cycle: null, mentor: 'me', assessment: 'a', assessed_by: 'me',
    state: 'active', verified_by: null, verified_at: null, position: null, approved_by: null, approved_at: null, to_mentor: null,
    history: [{ event: 'activate', state: 'active', by: 's', at: on('2026-02-10', 15), reason: '' }],
    milestones: rungs(), created_at: 0, updated_at: 0, revision: 1, ...over,
  }) as Enrolment
const cycle = (starts_on: string | null): Cycle =>
  ({ id: 'c', programme: 'g', code: 'FY26C1', office: '', associate: null, mentors: [], starts_on, ends_on: null, updated_at: 0, revision: 1 })

test('target days are counted from the cycle’s start, else from the day of activation', () => {
  const first = (of: Cycle | null) => planOf(enrolment(), of, on('2026-02-11'))!.rungs[0]!.due
  expect(first(cycle('2026-01-01'))).toBe(on('2026-01-31'))
  expect(first(cycle(null))).toBe(on('2026-03-12'))
  expect(first(null)).toBe(on('2026-03-12'))
  expect(planOf(enrolment(), cycle('2026-01-01'), 0)!.from).toBe(on('2026-01-01'))
  // All of a year later, whatever the clocks did meanwhile.
  expect(planOf(enrolment(), cycle('2026-01-01'), 0)!.rungs[11]!.due).toBe(on('2026-12-27'))
})

test('a rung is late from the day after its day, and never when it is done', () => {
  const late = (now: number, done: Record<number, MilestoneState> = {}) =>
    planOf(enrolment({ milestones: rungs(done) }), cycle('2026-01-01'), now)!.late.map(({ number, late }) => [number, late])
  expect(late(on('2026-01-31', 23))).toEqual([])
  expect(late(on('2026-02-01'))).toEqual([[1, 1]])
  expect(late(on('2026-02-16', 9))).toEqual([[1, 16], [2, 1]])
  expect(late(on('2026-02-16', 9), { 1: 'completed', 2: 'skipped' })).toEqual([])
  expect(late(on('2026-02-16', 9), { 1: 'in_progress', 2: 'completed' })).toEqual([[1, 16]])
})

test('the next is the open one that is due first: the savings group before the mid-term', () => {
  const done = Object.fromEntries([1, 2, 3, 4, 5, 6].map((number) => [number, 'completed' as const]))
  const plan = planOf(enrolment({ milestones: rungs(done) }), null, on('2026-02-11'))!
  expect([plan.height, plan.next!.number]).toEqual([6, 8])
  const all = Object.fromEntries(milestones.milestones.map(({ number }) => [number, number === 8 ? 'skipped' : 'completed'] as const))
  expect(planOf(enrolment({ milestones: rungs(all) }), null, on('2027-06-01'))).toMatchObject({ height: 12, next: null, late: [] })
})

test('a ladder that the server has not begun is as on the first day; before the activation there is none', () => {
  const plan = planOf(enrolment({ milestones: undefined }), null, on('2026-02-11'))!
  expect(plan.rungs.map(({ state }) => state)).toEqual(['in_progress', ...Array.from({ length: 11 }, () => 'not_started')])
  expect(plan).toMatchObject({ height: 0, moved: on('2026-02-10', 15) })
  expect(planOf(enrolment({ milestones: [], history: [] }), null, 0)).toBeNull()
  // What another version knows and this one does not is left out.
  expect(planOf(enrolment({ milestones: [...rungs(), { ...rungs()[0]!, number: 13 }] }), null, 0)!.rungs).toHaveLength(12)
})

test('without a step since the last move, or since the activation', () => {
  const moved = (at: Record<number, number>) => planOf(enrolment({ milestones: rungs({}, at) }), null, 0)!.moved
  expect(moved({})).toBe(on('2026-02-10', 15))
  expect(moved({ 1: on('2026-03-01'), 2: on('2026-02-20') })).toBe(on('2026-03-01'))
  expect(daysSince(on('2026-03-01', 12), on('2026-03-03', 11))).toBe(1)
  expect(daysSince(on('2026-03-05'), on('2026-03-03'))).toBe(0)
  expect(daysSince(null, 5)).toBe(0)
})

test('due in words', () => {
  const said = (now: number) => dueLabel(planOf(enrolment(), cycle('2026-01-01'), now)!.rungs[0]!, now)
  expect(said(on('2026-01-01', 8))).toBe('By 31 Jan 2026')
  expect(said(on('2026-01-26', 8))).toBe('Due in 5 days')
  expect(said(on('2026-01-30', 8))).toBe('Due in 1 day')
  expect(said(on('2026-01-31', 8))).toBe('Due today')
  expect(said(on('2026-02-01', 8))).toBe('1 day late')
  expect(said(on('2026-03-02', 8))).toBe('30 days late')
})

let made = 0
const climber = (name: string, over: Partial<Omit<Climber, 'household'>> & { done?: number; now?: number } = {}): Climber => {
  const { done = 0, now = on('2026-02-11'), ...rest } = over
  const states = Object.fromEntries(Array.from({ length: done }, (_, i) => [i + 1, 'completed' as const]))
  return {
    enrolment: `e${++made}`, household: { id: name, head_name: name, number: `HH-${made}`, photo: null, photo_placeholder: null },
    place_name: 'Kapsowar', programme: 'g', cycle: null, mentor: 'me', plan: planOf(enrolment({ milestones: rungs(states) }), null, now)!,
    still: 0, ...rest,
  }
}

test('longest stuck first, then furthest behind, then by name; who is at the summit last', () => {
  const all = [
    climber('Top', { done: 12, still: 300 }),
    climber('Zawadi', { still: 10 }),
    climber('Amina', { still: 10 }),
    climber('Behind', { still: 10, now: on('2026-05-01') }),
    climber('Stuck', { still: 90 }),
  ]
  expect(all.sort(longestStuck).map(({ household }) => household.head_name)).toEqual(['Stuck', 'Behind', 'Amina', 'Zawadi', 'Top'])
})

test('narrowed by words, next milestone, lateness, programme or cycle, and mentor', () => {
  const all = [
    climber('Wanjiku Kamau', { cycle: 'c1' }),
    climber('Chebet Kiprono', { done: 2, mentor: 'other' }),
    climber('Akinyi Odhiambo', { now: on('2026-06-01'), programme: 'g2' }),
  ]
  const found = (filters: object) => narrow(all, { ...none, ...filters }).map(({ household }) => household.head_name.split(' ')[0])
  expect(found({}).sort()).toEqual(['Akinyi', 'Chebet', 'Wanjiku'])
  expect(found({ text: 'kam wanj' })).toEqual(['Wanjiku'])
  expect(found({ text: 'kapsowar' })).toHaveLength(3)
  expect(found({ milestone: '3' })).toEqual(['Chebet'])
  expect(found({ late: true })).toEqual(['Akinyi'])
  expect(found({ within: 'c1' })).toEqual(['Wanjiku'])
  expect(found({ within: 'g2' })).toEqual(['Akinyi'])
  expect(found({ mentor: 'other' })).toEqual(['Chebet'])
  expect(countsOf(all)).toMatchObject({ all: 3, late: 1, next: new Map([[1, 2], [3, 1]]), heights: [2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] })
})

test('five hundred are narrowed and sorted at once', () => {
  const all = Array.from({ length: 500 }, (_, n) => climber(`Household ${n}`, { still: (n * 7) % 100, done: n % 13 }))
  const start = performance.now()
  for (const text of ['h', 'ho', 'hou', 'hous', 'house']) narrow(all, { ...none, text })
  expect(performance.now() - start).toBeLessThan(500)
  expect(narrow(all, none)).toHaveLength(500)
})

test('by hand: a mentor begins and completes for their own, whoever decides also skips and opens again', () => {
  const [mentor, supervisor] = [(one: string) => one === 'programmes.assess', (one: string) => ['programmes.assess', 'enrolments.decide'].includes(one)]
  const moves = (state: MilestoneState, can: (one: string) => boolean, me = 'me') => movesOf({ state }, enrolment(), me, can)
  expect(moves('not_started', mentor)).toEqual(['complete', 'start'])
  expect(moves('not_started', mentor, 'another')).toEqual([])
  expect(moves('completed', mentor)).toEqual([])
  expect(moves('not_started', supervisor, 'another')).toEqual(['complete', 'start', 'skip'])
  expect(moves('completed', supervisor)).toEqual(['reopen'])
  expect(movesOf({ state: 'not_started' }, enrolment({ state: 'suspended' }), 'me', supervisor)).toEqual([])
  for (const state of Object.keys(ways) as MilestoneState[]) {
    expect(moves(state, supervisor).sort()).toEqual(Object.keys(ways[state]).sort())
  }
})

test('the door of a step is the form that completes it', () => {
  const all = () => true
  const group = { id: 'grp' } as never
  expect(doorOf('first_training', 'h', null, all)!.href).toBe('/visits/new?household=h')
  expect(doorOf('business_group', 'h', null, all)!.href).toBe('/groups/new?household=h')
  expect(doorOf('pr_eligibility', 'h', group, all)!.href).toBe('/groups/grp/survey?kind=performance')
  expect(doorOf('pr_eligibility', 'h', null, all)).toBeNull()
  expect(doorOf('graduation', 'h', group, all)!.href).toBe('/households/h/assess?stage=graduation')
  expect(doorOf('sb_application', 'h', group, all)!.href).toBe('/grants/new?group=grp')
  expect(doorOf('pr_application', 'h', null, all)!.href).toBe('/grants/new?household=h')
  expect(doorOf('savings_group', 'h', group, all)).toBeNull()
  expect(doorOf('business_group', 'h', null, () => false)).toBeNull()
})
