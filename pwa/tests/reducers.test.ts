// What a command shows before the server has answered.
import { expect, test } from 'vitest'
import type { Command, Enrolment, Kind, Visit } from '../src/api/records'
import { reduce, same } from '../src/sync/reducers'
import { touches } from '../src/sync/touches'
import { findings, household } from './phone'

const by = { member: 'me', device: 'd', place: 'village-1' }
const give = (kind: Command['kind'], body: unknown) => ({ id: 'c', kind, at: 500, body }) as Command
const show = <T>(command: Command, kind: Kind, id: string, before: T | null = null) =>
  reduce(command, kind, id, before as never, by) as T | null

const capture = (id: string, slot = 'front', supersedes: string | null = null) =>
  ({ id, slot, mime: 'image/jpeg', bytes: 1, sha256: 'x', width: 1, height: 1, captured_at: 1, lat: null, lon: null, accuracy_m: null, supersedes })
const submit = (over: object = {}) =>
  give('visit.submit', { id: 'v', household: 'h', ...findings(), evidence: [], signature: null, ...over })
const visit = (state: Visit['state'], over: Partial<Visit> = {}): Visit =>
  ({ ...show<Visit>(submit(), 'visit', 'v')!, state, ...over })

test('a registration names the front photo as the household’s', () => {
  const command = give('household.register', { household: household({ id: 'h' }), evidence: [capture('e')] })
  expect(touches(command)).toEqual(['household:h', 'evidence:e'])
  expect(show(command, 'household', 'h')).toMatchObject({ photo: 'e', number: null, registered_by: 'me', revision: 0 })
  expect(show(command, 'evidence', 'e')).toMatchObject({ state: 'announced', subject_kind: 'household', subject: 'h', device: 'd' })
})

test('an update changes only what the person had seen', () => {
  const before = household({ phone: 'theirs', notes: null })
  const command = give('household.update', { id: 'h', changes: { phone: { was: 'seen', now: 'mine' }, notes: { was: null, now: 'new' } } })
  expect(show(command, 'household', 'h', before)).toMatchObject({ phone: 'theirs', notes: 'new' })
})

test('a visit goes its way: planned, begun, submitted, returned, submitted again, approved', () => {
  const planned = show<Visit>(give('visit.plan', { id: 'v', household: 'h', mentor: 'm', kind: 'scheduled', planned_at: 9 }), 'visit', 'v')
  expect(planned).toMatchObject({ state: 'planned', mentor: 'm', place: 'village-1', planned_at: 9, round: 0 })
  const begun = show(give('visit.start', { id: 'v', started_at: 10 }), 'visit', 'v', planned)
  expect(begun).toMatchObject({ state: 'in_progress', started_at: 10 })
  const first = show(submit(), 'visit', 'v', begun)
  expect(first).toMatchObject({ state: 'submitted', round: 1, mentor: 'm', planned_at: 9 })
  expect(first).not.toHaveProperty('evidence')
  const back = show(give('visit.return', { id: 'v', revision: 1, note: 'photo is dark' }), 'visit', 'v', first)
  expect(back).toMatchObject({ state: 'returned', note: 'photo is dark', decided_by: 'me' })
  const second = show(submit(), 'visit', 'v', back)
  expect(second).toMatchObject({ state: 'submitted', round: 2 })
  expect(show(give('visit.approve', { id: 'v', revision: 2 }), 'visit', 'v', second)).toMatchObject({ state: 'approved' })
})

test.each([
  ['visit.start', ['planned']],
  ['visit.submit', ['planned', 'in_progress', 'returned', 'missed', 'cancelled']],
  ['visit.cancel', ['planned', 'in_progress']],
  ['visit.miss', ['planned', 'in_progress']],
  ['visit.approve', ['submitted']],
  ['visit.return', ['submitted']],
] as const)('%s leaves visits alone that it does not fit', (kind, fitting) => {
  const states = ['planned', 'in_progress', 'submitted', 'approved', 'returned', 'cancelled', 'missed'] as const
  const command = kind === 'visit.submit' ? submit() : give(kind, { id: 'v', reason: 'x', note: 'xxx', revision: 1, started_at: 1 })
  const changing = states.filter((state) => show(command, 'visit', 'v', visit(state, { updated_at: 0 }))!.updated_at !== 0)
  expect(changing.sort()).toEqual([...fitting].sort())
})

test('a submitted visit makes its household visited, never earlier than it was', () => {
  expect(show(submit(), 'household', 'h', { ...household(), last_visit_at: null })).toMatchObject({ last_visit_at: 1_000 })
  expect(show(submit(), 'household', 'h', { ...household(), last_visit_at: 7_000 })).toMatchObject({ last_visit_at: 7_000 })
})

test('a photo taken again supersedes the one before', () => {
  const command = submit({ evidence: [capture('new', 'front', 'old')] })
  expect(touches(command)).toContain('evidence:old')
  expect(show(command, 'evidence', 'old', { id: 'old', superseded_by: null })).toMatchObject({ superseded_by: 'new' })
})

test('the signature is read from the text that was signed', () => {
  const record = JSON.stringify({ v: 1, id: 's', subject_kind: 'visit', subject: 'v', template: 'visit', version: 1, language: 'sw', statement: 'Nimetembelewa', signer_name: 'A', signer_role: 'beneficiary', signed_at: 3 })
  const command = submit({ signature: { record, sha256: 'abc', key_id: null, device_signature: null } })
  expect(touches(command)).toContain('signature:s')
  expect(show(command, 'signature', 's')).toMatchObject({ statement: 'Nimetembelewa', sha256: 'abc', sequence: null })
})

test('read messages keep when they were first read', () => {
  const command = give('inbox.read', { ids: ['i', 'j'] })
  expect(show(command, 'inbox', 'i', { id: 'i', read_at: null })).toMatchObject({ read_at: 500 })
  expect(show(command, 'inbox', 'j', { id: 'j', read_at: 3 })).toMatchObject({ read_at: 3 })
})

test('nothing comes of a change to a record that this phone does not know', () => {
  expect(show(give('household.update', { id: 'h', changes: {} }), 'household', 'h')).toBeNull()
  expect(show(give('visit.approve', { id: 'v', revision: 1 }), 'visit', 'v')).toBeNull()
  expect(show(give('conflict.settle', { id: 'k', choose: 'mine' }), 'conflict', 'k')).toBeNull()
})

test('values are equal whatever the order of keys', () => {
  expect(same([{ a: 1, b: null }], [{ b: undefined, a: 1 }])).toBe(true)
  expect(same([{ a: 1 }], [{ a: 2 }])).toBe(false)
  expect(same([], {})).toBe(false)
  expect(same('', null)).toBe(false)
})

test('an assessment waits for the server’s word, and an enrolment goes its way by the same table', () => {
  const body = { id: 'a', household: 'h', programme: 'p', instrument: 'weighted', version: 1, answers: { income: 1 }, consent: true, note: '', score: 6125, outcome: 'eligible' }
  const record = give('assessment.record', body)
  expect(touches(record)).toEqual(['assessment:a'])
  expect(show(record, 'assessment', 'a')).toMatchObject({ score: 6125, qualification: null, place: 'village-1', assessed_by: 'me', factors: [] })
  const apply = give('enrolment.apply', { id: 'e', household: 'h', programme: 'p', assessment: 'a', cycle: null })
  const applied = show<Enrolment>(apply, 'enrolment', 'e')!
  expect(applied).toMatchObject({ state: 'applied', mentor: 'me', number: null, history: [{ event: null, state: 'applied' }] })
  const move = (event: string, over: object = {}) =>
    give('enrolment.move', { id: 'e', revision: 1, event, reason: 'so', mentor: null, position: null, evidence: [], ...over })
  const screened = show<Enrolment>(move('screen'), 'enrolment', 'e', applied)!
  expect(screened).toMatchObject({ state: 'screening', history: [{}, { event: 'screen', by: 'me', reason: 'so' }] })
  expect(show(move('approve'), 'enrolment', 'e', screened), 'what the server would refuse is not shown').toBe(screened)
  const verify = move('verify', { evidence: [capture('x', 'site')] })
  expect(touches(verify)).toEqual(['enrolment:e', 'evidence:x'])
  expect(show(verify, 'evidence', 'x')).toMatchObject({ subject_kind: 'enrolment', subject: 'e', state: 'announced' })
  const handed = show<Enrolment>(move('transfer', { mentor: 'n' }), 'enrolment', 'e', { ...applied, state: 'active' })!
  expect(handed).toMatchObject({ state: 'transferred', to_mentor: 'n', mentor: 'me' })
  expect(show(move('take_over'), 'enrolment', 'e', handed)).toMatchObject({ state: 'active', to_mentor: null, mentor: 'me' })
})

test('a consent is given, withdrawn and given again, and its history stands', () => {
  const record = JSON.stringify({ id: 's', subject_kind: 'household', subject: 'h', template: 'consent', version: 2, language: 'sw', statement: '', signer_name: '', signer_role: 'beneficiary', signed_at: 1 })
  const signature = { record, sha256: '', key_id: null, device_signature: null }
  const body = { id: 'c1', household: 'h', purpose: 'programme', evidence: [], signature, version: null, language: null }
  const given = show(give('consent.give', body), 'household', 'h', household({ id: 'h' }) as never)!
  expect(given).toMatchObject({ consent_at: 500, consents: [{ id: 'c1', event: 'given', version: 2, language: 'sw', signature: 's', picture: null, by: 'me' }] })
  const withdraw = give('consent.withdraw', { household: 'h', reason: 'no' })
  const withdrawn = show(withdraw, 'household', 'h', given)!
  expect(withdrawn).toMatchObject({ consent_at: null, consents: [{ event: 'given' }, { id: 'c1', event: 'withdrawn', reason: 'no' }] })
  expect(show(withdraw, 'household', 'h', withdrawn)).toBe(withdrawn)
  const thumb = give('consent.give', { ...body, id: 'c2', signature: null, evidence: [capture('e', 'document')], version: 1, language: 'en' })
  expect(touches(thumb)).toEqual(['household:h', 'evidence:e'])
  expect(show(thumb, 'household', 'h', withdrawn)).toMatchObject({ consent_at: 500, consents: [{}, {}, { id: 'c2', picture: 'e', version: 1 }] })
  expect(show(thumb, 'evidence', 'e')).toMatchObject({ subject_kind: 'household', subject: 'h' })
})

test('a merged household points to the other one, and back', () => {
  const merge = give('household.merge', { keep: 'a', drop: 'b', revision_keep: 1, revision_drop: 1, choose: {} })
  expect(touches(merge)).toEqual(['household:a', 'household:b'])
  const gone = show(merge, 'household', 'b', household({ id: 'b' }) as never)
  expect(gone).toMatchObject({ merged_into: 'a' })
  expect(show(merge, 'household', 'a', household({ id: 'a' }) as never)).not.toHaveProperty('merged_into')
  expect(show(give('household.unmerge', { id: 'b' }), 'household', 'b', gone)).not.toHaveProperty('merged_into')
})
