// Figures lead to their rows; who is behind is counted as the server counts; a household sees its own and nobody else's.
import { expect, test } from 'vitest'
import type { Grant, Milestone } from '../src/api/grants'
import type { Cycle, Enrolment, Household, Records, Signature } from '../src/api/records'
import { DAY } from '../src/clock'
import { database } from '../src/db/account'
import { row } from '../src/db/schema'
import { lateOf } from '../src/figures/late'
import { onTheWay, waitingRows, type Waiting } from '../src/figures/rows'
import { fromRecords, languageOf } from '../src/home/own'
import { household, newPhone } from './phone'

const at = (date: string) => Date.parse(`${date}T12:00:00`)
const rung = (number: number, state: Milestone['state'] = 'not_started'): Milestone => ({ number, state, at: null, by: null, reason: '', cause: null, subject: null })
const climbing = (done: number[], more: Partial<Enrolment> = {}) =>
  ({
    id: 'e', household: 'h', state: 'active', cycle: 'c', history: [{ event: 'activate', state: 'active', by: 'm', at: at('2026-01-10'), reason: '' }],
    milestones: Array.from({ length: 12 }, (_, n) => rung(n + 1, done.includes(n + 1) ? 'completed' : 'not_started')), ...more,
  }) as Enrolment
const cycles = (starts_on: string | null) => new Map([['c', { id: 'c', starts_on } as Cycle]])

test('behind is the open rung that is due first, from the day after on', () => {
  const late = (done: number[], day: string) => lateOf(climbing(done), cycles('2026-01-01'), at(day))
  expect(late([], '2026-01-31')).toBeNull()
  expect(late([], '2026-02-01')).toMatchObject({ number: 1, days: 1 })
  // The eighth is due before the seventh.
  expect(late([1, 2, 3, 4, 5, 6], '2026-06-01')).toMatchObject({ number: 8 })
  expect(late([1, 2, 3, 4, 5, 6, 8], '2026-06-01')).toBeNull()
  expect(late(Array.from({ length: 12 }, (_, n) => n + 1), '2030-01-01')).toBeNull()
})

test('without a cycle the ladder begins with the activation, and only who takes part is late', () => {
  expect(lateOf(climbing([]), cycles(null), at('2026-02-09'))).toBeNull()
  expect(lateOf(climbing([], { cycle: null }), new Map(), at('2026-02-10'))).toMatchObject({ number: 1, days: 1 })
  expect(lateOf(climbing([], { state: 'suspended' }), cycles('2026-01-01'), at('2027-01-01'))).toBeNull()
})

const waits = (what: string, state: string, oldest_at: number): Waiting => ({ what, state, count: 1, day: 0, three_days: 0, week: 0, oldest_at })

test('what waits leads to its rows, one’s own first and then what is oldest', () => {
  const all = [waits('visit', 'submitted', 5), waits('enrolment', 'qualified', 3), waits('grant', 'recommended', 4), waits('release', 'approved', 2), waits('utilisation', 'submitted', 1)]
  const executive = waitingRows(all, (capability) => capability === 'grants.approve')
  expect(executive.map(({ href }) => href)).toEqual([
    '/grants?state=recommended', '/grants?state=disbursed', '/grants?state=approved', '/enrolments?state=qualified', '/visits?state=submitted',
  ])
  expect(executive.map(({ yours }) => yours)).toEqual([true, false, false, false, false])
  expect(waitingRows(all.slice(0, 1), () => true)[0]).toMatchObject({ href: '/queue', yours: true })
  expect(onTheWay([{ state: 'graduated' }, { state: 'applied' }, { state: 'active' }]).map(({ state }) => state)).toEqual(['applied', 'active', 'graduated'])
})

test('a household is shown its own things and nothing of the others in its group', async () => {
  await newPhone()
  const [own, other] = [household({ id: 'h1', head_name: 'Zawadi Mwakio' }), household({ id: 'h2', head_name: 'Halima Abdi' })] as unknown as [Household, Household]
  const grant = (id: string, households: string[]) =>
    ({
      id, number: `GRT-${id}`, households, policy: { name: { en: 'Seed grant', sw: 'Ruzuku ya kuanzia' } }, state: 'disbursing', amount: { amount_minor: 1_500_000 },
      tranches: [
        { id: `${id}-1`, number: 1, amount_minor: 1_500_000, state: 'reversed', released_at: 1, acknowledged_at: null, acknowledgement: null },
        { id: `${id}-2`, number: 1, amount_minor: 1_500_000, state: 'released', released_at: 2, acknowledged_at: null, acknowledgement: null },
      ],
      utilisation: null, submitted_at: 1,
    }) as unknown as Grant
  const signed = (id: string, subject: string, signer_name: string, language: 'en' | 'sw', signed_at: number) =>
    ({ id, subject, signer_name, language, signed_at, statement: `${signer_name} agrees`, superseded_by: null }) as Signature
  const put = <K extends keyof Records>(kind: K, body: Records[K] & { id: string }) => database().put('records', row(kind, body.id, 'f', body))
  await put('household', own)
  await put('household', other)
  await put('grant', grant('shared', ['h1', 'h2']))
  await put('grant', grant('theirs', ['h2']))
  await put('signature', signed('s1', 'shared', 'Zawadi Mwakio', 'sw', 10 * DAY))
  await put('signature', signed('s2', 'shared', 'Halima Abdi', 'en', 11 * DAY))
  await put('signature', signed('s3', 'h1', 'Zawadi’s daughter', 'en', 5 * DAY))
  const shown = (await fromRecords('h1'))!
  expect(shown.grants.map(({ number }) => number)).toEqual(['GRT-shared'])
  expect(shown.grants[0]!.parts).toEqual([{ id: 'shared-2', number: 1, amount_minor: 1_500_000, state: 'released', at: 2, receipt: null }])
  expect(shown.signed.map(({ id }) => id)).toEqual(['s1', 's3'])
  expect(JSON.stringify(shown)).not.toContain('Halima')
  expect(languageOf(shown.signed, 'en')).toBe('sw')
  expect(languageOf([], 'en')).toBe('en')
  expect(await fromRecords('nobody')).toBeNull()
})
