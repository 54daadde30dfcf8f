// Who can be in a group and in which office, what a survey still lacks and what it says, and what both do before the server answers.
import { expect, test } from 'vitest'
import type { Group, GroupMember, Survey } from '../src/api/grants'
import type { Assessment, Command, Enrolment, Kind, Programme } from '../src/api/records'
import { instrument } from '../src/assess/instruments'
import { columnsOf, difference, graduates, instrumentFor, stagesFor, tablesOf } from '../src/assess/stage'
import { appoint, blank, faults, toggle } from '../src/groups/form'
import * as survey from '../src/groups/survey'
import { ratingOf } from '../src/groups/words'
import { reduce } from '../src/sync/reducers'
import { toast, toasts } from '../src/ui/toasts.svelte'

const by = { member: 'me', device: 'd', place: 'village-1' }
const give = (kind: Command['kind'], body: unknown) => ({ id: 'c', kind, at: 500, body }) as Command
const show = <T>(command: Command, kind: Kind, id: string, before: T | null = null) =>
  reduce(command, kind, id, before as never, by) as T | null
const roles = (members: GroupMember[]) => members.map(({ household, role }) => `${household} ${role}`)

test('who is chosen gets the next free office, and a fourth is not taken in', () => {
  let members: GroupMember[] = []
  for (const one of ['a', 'b', 'c', 'd']) members = toggle(members, one)
  expect(roles(members)).toEqual(['a leader', 'b treasurer', 'c secretary'])
  members = toggle(members, 'a')
  expect(roles(members)).toEqual(['b treasurer', 'c secretary'])
  expect(roles(toggle(members, 'd'))).toEqual(['b treasurer', 'c secretary', 'd leader'])
})

test('each office is there once', () => {
  const members = ['a', 'b', 'c'].reduce<GroupMember[]>(toggle, [])
  expect(roles(appoint(members, 'b', 'leader'))).toEqual(['a member', 'b leader', 'c secretary'])
  expect(roles(appoint(appoint(members, 'b', 'member'), 'c', 'member'))).toEqual(['a leader', 'b member', 'c member'])
})

test('a group needs two or three households with a leader, a name, a type and a day that has come', () => {
  const form = { ...blank('2026-03-01'), programme: 'g', place: 'p', name: ' Tumaini ', type: 'retail' as const, members: ['a', 'b'].reduce<GroupMember[]>(toggle, []) }
  const wrong = (over: object) => Object.keys(faults({ ...form, ...over }, '2026-03-01'))
  expect(wrong({})).toEqual([])
  expect(wrong({ members: form.members.slice(0, 1) })).toEqual(['members'])
  expect(wrong({ members: appoint(form.members, 'a', 'member') })).toEqual(['members'])
  expect(wrong({ name: ' x ', type: null, programme: '' })).toEqual(['programme', 'name', 'type'])
  expect(wrong({ formed_on: '2026-03-02' })).toEqual(['formed_on'])
  expect(wrong({ formed_on: '2026-03-02', of: 'group' })).toEqual([])
})

test('a survey says what it lacks, and the score only where it is asked', () => {
  const empty = survey.blank('g', 'performance')
  expect(Object.keys(survey.faults(empty, false)).sort()).toEqual(['expenses', 'health', 'income', 'operating', 'photo', 'position', 'score'])
  const full = { ...empty, operating: 'yes', income: '12,500', expenses: '0', health: 'green' as const, score: '70', reason: 'no_fix' }
  expect(survey.faults(full, true)).toEqual({})
  for (const score of ['101', '-1', '7.5', 'x']) expect(Object.keys(survey.faults({ ...full, score }, true))).toEqual(['score'])
  expect(survey.faults({ ...full, kind: 'progress', score: 'x' }, true)).toEqual({})
  expect(Object.keys(survey.faults({ ...full, savings: 'much' }, true))).toEqual(['savings'])
  expect(survey.fieldsOf('s', full)).toEqual({
    id: 's', group: 'g', kind: 'performance', operating: true, income_minor: 1_250_000, expenses_minor: 0, savings_minor: null,
    health: 'green', score: 70, challenges: '', next_steps: '', position: { lat: null, lon: null, accuracy_m: null, no_gps_reason: 'no_fix' },
  })
  expect(survey.fieldsOf('s', { ...full, kind: 'progress' }).score).toBeNull()
})

test('the rating’s word changes at 60, 70 and 90', () => {
  expect([0, 59, 60, 69, 70, 89, 90, 100].map(ratingOf)).toEqual([
    'poor', 'poor', 'satisfactory', 'satisfactory', 'good', 'good', 'excellent', 'excellent',
  ])
})

test('a group stands on the phone as soon as it is formed, and follows its surveys until it is dissolved', () => {
  const members = ['a', 'b'].reduce<GroupMember[]>(toggle, [])
  const formed = show<Group>(give('group.form', { id: 'g', programme: 'p', name: 'Tumaini', type: 'retail', members, formed_on: '2026-03-01' }), 'group', 'g')!
  expect(formed).toMatchObject({ health: 'yellow', state: 'active', place: 'village-1', mentor: 'me', revision: 0 })
  const taken = give('group.survey', { ...survey.fieldsOf('s', { ...survey.blank('g', 'progress'), health: 'red', challenges: 'No stock' }), evidence: [] })
  expect(show<Survey>(taken, 'survey', 's')).toMatchObject({ surveyed_by: 'me', surveyed_at: 500, health: 'red', revision: 0 })
  expect(show<Group>(taken, 'group', 'g', formed)).toMatchObject({ health: 'red', health_note: 'No stock', health_by: 'me' })
  const changed = show<Group>(give('group.change', { id: 'g', revision: 1, name: 'Imara', type: 'crop', members }), 'group', 'g', formed)
  expect(changed).toMatchObject({ name: 'Imara', type: 'crop' })
  expect(show<Group>(give('group.dissolve', { id: 'g', revision: 1, reason: 'Moved away' }), 'group', 'g', formed)).toMatchObject({ state: 'dissolved', reason: 'Moved away' })
})

test('a milestone moved by hand is moved at once, and only where it can be', () => {
  const rung = { number: 8, state: 'not_started', at: null, by: null, reason: '', cause: null, subject: null } as const
  const enrolment = { id: 'e', milestones: [rung, { ...rung, number: 9, state: 'completed' }] } as unknown as Enrolment
  const move = (number: number, event: string) =>
    show<Enrolment>(give('milestone.move', { enrolment: 'e', number, event, reason: 'Tumaini SG' }), 'enrolment', 'e', enrolment)!.milestones!
  expect(move(8, 'complete')[0]).toMatchObject({ state: 'completed', reason: 'Tumaini SG', at: 500, by: 'me', cause: null })
  expect(move(9, 'complete')[1]).toEqual(enrolment.milestones![1])
  expect(move(9, 'reopen')[1]).toMatchObject({ state: 'in_progress' })
})

const programme = (over: Partial<Programme> = {}) =>
  ({ id: 'p', instrument: 'weighted', version: 1, graduation_instrument: 'graduation', graduation_version: 1, ...over }) as Programme

test('the baseline until a household takes part, then mid-term and, where there is an instrument, graduation', () => {
  const active = [{ programme: 'p', state: 'active' }] as Enrolment[]
  expect(stagesFor(programme(), [])).toEqual(['baseline'])
  expect(stagesFor(programme(), [{ programme: 'p', state: 'applied' }, { programme: 'other', state: 'active' }] as Enrolment[])).toEqual(['baseline'])
  expect(stagesFor(programme(), active)).toEqual(['midterm', 'graduation'])
  expect(stagesFor(programme({ graduation_instrument: undefined }), active)).toEqual(['midterm'])
  expect(instrumentFor(programme(), 'midterm')!.key).toBe('weighted')
  expect(instrumentFor(programme(), 'graduation')!.key).toBe('graduation')
  expect(instrumentFor(programme({ graduation_version: 99 }), 'graduation')).toBeNull()
  expect([instrument('graduation', 1)!, instrument('weighted', 1)!].map(graduates)).toEqual([true, false])
})

test('assessments stand side by side: the latest of each stage, with the difference where the same questions were asked', () => {
  const made = (id: string, stage: Assessment['stage'], at: number, score: number, key = 'weighted') =>
    ({ id, programme: 'p', stage, assessed_at: at, score, instrument: key, version: 1, answers: {}, outcome: 'x', factors: [{ key: 'income', points: score / 100, weight: 25 }] }) as unknown as Assessment
  const all = [made('1', undefined, 1, 4000), made('2', 'midterm', 3, 6000), made('3', 'midterm', 2, 100), made('4', 'graduation', 4, 8000, 'graduation')]
  const columns = columnsOf(all, 'p')
  expect(columns.map(({ assessment }) => assessment.id)).toEqual(['1', '2', '4'])
  expect(columnsOf(all, 'other')).toEqual([])
  const [weighted, graduation] = tablesOf(columns)
  expect([weighted!.score, difference(weighted!.score, 0), difference(weighted!.score, 1)]).toEqual([[4000, 6000], null, 2000])
  expect(weighted!.factors.find(({ key }) => key === 'income')!.points).toEqual([1000, 1500])
  expect([graduation!.score, graduation!.factors.find(({ key }) => key === 'income')!.points]).toEqual([[8000], [2000]])
  expect(tablesOf([])).toEqual([])
})

test('the same message again is one message', () => {
  for (let n = 0; n < 5; n++) toast('Saved on this phone')
  toast('Saved on this phone', 'bad')
  toast('Something else')
  expect(toasts.map(({ text, tone }) => [text, tone])).toEqual([['Saved on this phone', 'good'], ['Saved on this phone', 'bad'], ['Something else', 'good']])
})
