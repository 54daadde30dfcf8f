// What commands of grants show on this phone until the server's word comes.
import { beforeEach, expect, test } from 'vitest'
import sb from '../../instruments/policy-SB-1.json'
import type { Grant } from '../src/api/grants'
import type { Command, Kind, Records } from '../src/api/records'
import { database } from '../src/db/account'
import { row } from '../src/db/schema'
import { dueGrants, waitsFor } from '../src/queries/grants'
import { one } from '../src/queries/records'
import { command } from '../src/sync/command'
import { reduce } from '../src/sync/reducers'
import { household, newPhone } from './phone'

beforeEach(newPhone)

const keep = <K extends Kind>(kind: K, id: string, body: object) => database().put('records', row(kind, id, 'village-1', body as Records[K]))
const plan = { description: 'Kiosk', projected_income_minor: 9, monthly_expenses_minor: 8, startup_minor: 7, items: [{ what: 'Stock', quantity: 1, unit_minor: 1_559_300 }] }
const signed = (id: string) => ({ record: JSON.stringify({ id, subject_kind: 'grant', subject: 'g', template: 'grant_application', version: 1, language: 'sw', statement: 'Naomba', signer_name: 'A', signer_role: 'beneficiary', signed_at: 3 }), sha256: id, key_id: null, device_signature: null })
const answers = { business: 'retail', setting: 'rural', training: 92 }
const by = { member: 'me', device: 'd', place: 'village-1' }
const give = <T>(kind: Command['kind'], body: unknown, before: T) => reduce({ id: 'c', kind, at: 500, body } as Command, 'grant', 'g', before as never, by) as T

async function submitted(): Promise<Grant> {
  await keep('policy', 'seed', { ...sb, id: 'seed', programme: 'p', version: 3, updated_at: 1, revision: 1 })
  await keep('household', 'h1', { ...household({ id: 'h1' }), number: null })
  await keep('household', 'h2', { ...household({ id: 'h2' }), number: null })
  await keep('group', 'grp', { id: 'grp', place: 'village-1', programme: 'p', name: 'Umoja', members: [{ household: 'h1', role: 'leader' }, { household: 'h2', role: 'member' }], state: 'active' })
  await command('grant.submit', { id: 'g', revision: null, policy: 'seed', version: 3, household: null, group: 'grp', plan, answers, amount_minor: 1_559_300, note: '', signatures: [signed('s1'), signed('s2')], evidence: [] })
  return (await one('grant', 'g'))!
}

test('an application is there at once, with its policy, its households, its amount and every signature', async () => {
  const grant = await submitted()
  expect(grant).toMatchObject({ state: 'submitted', households: ['h1', 'h2'], place: 'village-1', programme: 'p', submitted_by: 'member-1', number: null, revision: 0 })
  expect(grant.policy).toMatchObject({ key: 'SB', version: 3 })
  expect(grant.amount).toMatchObject({ amount_minor: 1_559_300, clamped: null })
  expect(await one('signature', 's2')).toMatchObject({ subject_kind: 'grant', subject: 'g', template: 'grant_application' })
  expect(waitsFor(grant)).toBe('review')
})

test('it goes its way: reviewed, recommended, approved, released, received, reported, verified', async () => {
  let grant = await submitted()
  const move = (event: string, score: number | null = null) => (grant = give('grant.move', { id: 'g', revision: 1, event, reason: 'x', score, amount_minor: null }, grant))
  expect(move('approve').state).toBe('submitted')
  expect(move('review').state).toBe('in_review')
  expect(move('recommend', 80)).toMatchObject({ state: 'recommended', reviewed_by: 'me', review_score: 80 })
  expect(waitsFor(grant)).toBe('decision')
  expect(move('approve')).toMatchObject({ state: 'approved', approved_by: 'me' })
  expect(grant.history.map(({ event }) => event)).toEqual(['submit', 'review', 'recommend', 'approve'])
  grant = { ...grant, tranches: [{ id: 't', number: 1, amount_minor: 5, state: 'scheduled' } as never] }
  expect(waitsFor(grant)).toBe('release')
  grant = give('grant.release', { id: 'g', revision: 1, tranche: 't', method: 'bank', reference: 'R1', released_on: '2026-11-29' }, grant)
  expect(grant.tranches[0]).toMatchObject({ state: 'released', reference: 'R1', released_by: 'me' })
  grant = give('grant.acknowledge', { id: 'k', grant: 'g', tranche: 't', amount_minor: 5 }, grant)
  expect(grant.tranches[0]).toMatchObject({ state: 'acknowledged', acknowledgement: 'k', acknowledged_by: 'me' })
  grant = { ...grant, utilisation: { id: null, state: 'due', due_on: '2027-01-01', items: [] } as never }
  grant = give('grant.utilise', { id: 'u', grant: 'g', items: [{ what: 'a', amount_minor: 3, on: '2026-11-29' }], note: 'n' }, grant)
  expect(grant.utilisation).toMatchObject({ id: 'u', state: 'submitted', spent_minor: 3, submitted_by: 'me' })
  expect(waitsFor(grant)).toBe('verification')
  grant = give('grant.verify', { id: 'g', revision: 1, verdict: 'verify', reason: '' }, grant)
  expect(grant.utilisation).toMatchObject({ state: 'verified', decided_by: 'me' })
})

test('one that came back is handed in again with another plan', async () => {
  const back = give('grant.move', { id: 'g', revision: 1, event: 'return', reason: 'more', score: null, amount_minor: null }, await submitted())
  expect(back).toMatchObject({ state: 'returned' })
  expect(back.history.at(-1)).toMatchObject({ event: 'return', reason: 'more' })
  const again = give('grant.submit', { id: 'g', revision: 2, plan: { ...plan, description: 'Two kiosks' }, answers: { ...answers, setting: 'town' }, note: '', signatures: [], evidence: [] }, back)
  expect(again).toMatchObject({ state: 'submitted', plan: { description: 'Two kiosks' }, amount: { amount_minor: 1_485_000 } })
})

test('today asks for what is to be handed over and for reports that are due', async () => {
  const grant = await submitted()
  const part = { id: 't', number: 1, amount_minor: 5, state: 'released', released_by: 'cashier' }
  await keep('grant', 'a', { ...grant, id: 'a', state: 'disbursing', tranches: [part] })
  const received = { ...part, state: 'acknowledged' }
  await keep('grant', 'd', { ...grant, id: 'd', state: 'disbursing', tranches: [{ ...part, state: 'disputed' }], utilisation: { state: 'due', due_on: '2027-01-01' } })
  await keep('grant', 'b', { ...grant, id: 'b', state: 'disbursed', tranches: [received], utilisation: { state: 'due', due_on: '2027-01-01' } })
  await keep('grant', 'c', { ...grant, id: 'c', state: 'disbursed', utilisation: { state: 'verified', due_on: '2027-01-01' } })
  const { receive, use } = await dueGrants()
  expect([receive.map((item) => item.grant.id), use.map((item) => item.grant.id)]).toEqual([['a'], ['b']])
  expect(receive[0]!.name).toBe('Umoja')
})
