// Sample grants in every state, with a programme, its policies, a group and enrolments.
import pr from '../../instruments/policy-PR-1.json'
import sb from '../../instruments/policy-SB-1.json'
import type { Acknowledgement, Grant, GrantState, Policy, Tranche } from '../src/api/grants'
import type { Evidence, Household, Records, Signature } from '../src/api/records'
import { amountOf } from '../src/grants/amount'

interface Given {
  id: (group: number, n: number) => string
  me: string
  grace: string
  now: number
  households: Household[]
  evidence: (n: number, subject: string, slot: string, more: Partial<Evidence>) => Evidence
  signature: (n: number, subject: string, name: string) => Signature
}

const DAY = 86_400_000

export function grantRecords({ id, me, grace, now, households, evidence, signature }: Given) {
  const [programme, groupId, peter] = [id(20, 1), id(23, 1), id(2, 3)]
  const policy = (n: number, facts: object): Policy =>
    ({ ...(facts as Policy), id: id(21, n), programme, version: 1, updated_at: now, revision: 1 })
  const policies = [policy(1, sb), policy(2, pr)]
  const home = (n: number) => households[n % households.length]!
  const place = home(0).place
  const day = (at: number) => new Date(at).toISOString().slice(0, 10)
  const plan = (amount: number) => ({
    description: 'A kiosk at the road to the market: flour, sugar, soap and airtime. The nearest shop is four kilometres away, and the school opens in January.',
    projected_income_minor: 1_240_000,
    monthly_expenses_minor: 760_000,
    startup_minor: 1_800_000,
    items: [
      { what: 'Shelves and a counter, made by the carpenter in the village', quantity: 1, unit_minor: 450_000 },
      { what: 'First stock', quantity: 1, unit_minor: amount - 450_000 - 80_000 },
      { what: 'Scales', quantity: 1, unit_minor: 80_000 },
    ],
  })
  const answers = { business: 'retail', setting: 'rural', training: 92 }
  const PATH: [GrantState, Grant['history'][number]['event'], string][] = [
    ['submitted', 'submit', me],
    ['in_review', 'review', grace],
    ['recommended', 'recommend', grace],
    ['approved', 'approve', peter],
    ['disbursing', 'release', id(2, 4)],
    ['disbursed', 'receive', me],
    ['utilised', 'utilise', grace],
    ['closed', 'close', grace],
  ]
  function grant(n: number, state: GrantState, more: Partial<Grant> = {}): Grant {
    const own = more.group ? [home(0), home(1), home(2)] : [home(n)]
    const amount = amountOf(policies[0]!, { group_size: own.length, ...answers })
    const { updated_at: _at, revision: _revision, ...kept } = policies[0]!
    const far = PATH.findIndex(([at]) => at === state)
    const until = PATH.slice(0, far < 0 ? 2 : far + 1)
    const history = until.map(([to, event, by], i) => ({ event, state: to, by, at: now - (12 - i * 1.5) * DAY, reason: event === 'recommend' ? 'The plan is sound, she has sold there before.' : '', score: event === 'recommend' ? 78 : null }))
    const had = (what: GrantState) => until.some(([to]) => to === what)
    const part: Tranche = {
      id: id(25, n), number: 1, amount_minor: amount.amount_minor, state: had('disbursed') ? 'acknowledged' : had('disbursing') ? 'released' : 'scheduled',
      method: had('disbursing') ? 'mobile_money' : null, reference: had('disbursing') ? `QK7${n}ABX91` : '', released_by: had('disbursing') ? id(2, 4) : null,
      released_on: had('disbursing') ? day(now - 5 * DAY) : null, released_at: had('disbursing') ? now - 5 * DAY : null,
      acknowledgement: had('disbursed') ? id(26, n) : null, acknowledged_by: had('disbursed') ? me : null, acknowledged_at: had('disbursed') ? now - 4 * DAY : null, note: '',
    }
    return {
      id: id(24, n), number: `GRT-2026-${String(n + 1).padStart(5, '0')}`, place, programme, policy: kept, household: own[0]!.id, group: null,
      savings_group: null, households: own.map((one) => one.id), plan: plan(amount.amount_minor), answers, amount, phone_amount_minor: null, note: '', state,
      submitted_by: me, submitted_at: now - 12 * DAY, reviewed_by: had('recommended') ? grace : null, review_score: had('recommended') ? 78 : null,
      approved_by: had('approved') ? peter : null, approved_at: had('approved') ? now - 8 * DAY : null, tranches: had('approved') ? [part] : [],
      utilisation: had('disbursed')
        ? { id: null, state: 'due', due_on: day(now + 21 * DAY), items: [], spent_minor: 0, note: '', submitted_by: null, submitted_at: null, decided_by: null, decided_at: null, decision_note: '' }
        : null,
      history, created_at: now - 12 * DAY, updated_at: now - n * 3_600_000, revision: 60 + n, ...more,
    }
  }
  const use = (amount: number) => ({
    id: id(28, 9), state: 'submitted' as const, due_on: day(now + 9 * DAY), spent_minor: amount - 120_000, note: 'The scales were cheaper than planned.',
    items: [{ what: 'Shelves and counter', amount_minor: 430_000, on: day(now - 3 * DAY) }, { what: 'First stock from the wholesaler in Eldoret', amount_minor: amount - 550_000, on: day(now - 2 * DAY) }],
    submitted_by: me, submitted_at: now - DAY, decided_by: null, decided_at: null, decision_note: '',
  })
  const grants = [
    grant(3, 'submitted'),
    grant(4, 'in_review'),
    grant(0, 'recommended', { group: groupId, household: null }),
    grant(5, 'recommended'),
    grant(6, 'recommended', { submitted_by: grace }),
    grant(7, 'approved'),
    grant(8, 'approved'),
    grant(10, 'disbursing'),
    grant(11, 'disbursed'),
    grant(9, 'disbursed'),
    grant(12, 'closed'),
    grant(13, 'returned'),
    grant(14, 'rejected'),
  ]
  const sent = grants.find((one) => one.id === id(24, 9))!
  sent.utilisation = use(sent.amount.amount_minor)
  const back = grants.find(({ state }) => state === 'returned')!
  back.history = [...back.history, { event: 'return', state: 'returned', by: grace, at: now - 2 * DAY, reason: 'Please say where the stock is bought, and add the price of transport.', score: null }]
  const received = (n: number, more: Partial<Acknowledgement> = {}): Acknowledgement => ({
    id: id(26, n), grant: id(24, n), tranche: id(25, n), place, amount_minor: grants.find((one) => one.id === id(24, n))!.amount.amount_minor, counted: true, flag: null,
    note: '', position: { lat: 0.98, lon: 35.55, accuracy_m: 9, no_gps_reason: null }, recorded_by: me, received_at: now - 4 * DAY, created_at: now, revision: 1, ...more,
  })
  const acknowledgements = [received(9), received(11), received(12), { ...received(11, { counted: false, flag: 'twice' }), id: id(26, 99) }]
  const about = (at: Signature, kind: Signature['subject_kind'], template: string, statement: string): Signature =>
    ({ ...at, subject_kind: kind, template, statement, sha256: 'c0ffee'.repeat(11).slice(0, 64) })
  const out: { [K in keyof Records]?: Records[K][] } = {
    programme: [{ id: programme, code: 'FY26', name: 'Graduation 2026', kind: 'graduation', category: 'graduation', status: 'open', instrument: 'weighted', version: 1, places: [], target: 500, budget_minor: 500_000_000, starts_on: '2026-01-01', ends_on: null, updated_at: now, revision: 1 }],
    policy: policies,
    group: [2, 1].map((one) => ({ ...{ id: id(23, one), number: 'GRP-2026-00001', place, programme, name: 'Tumaini Traders', type: 'retail', members: [0, 1, 2].map((n) => ({ household: home(n).id, role: n ? 'member' : 'leader' })), health: 'yellow', health_note: '', health_at: now, health_by: me, state: 'active', reason: '', mentor: me, formed_on: '2026-03-01', created_at: now, updated_at: now, revision: 1 }, ...(one === 2 ? { number: 'GRP-2026-00002', name: 'Umoja Mill', members: [16, 17, 18].map((n) => ({ household: home(n).id, role: 'member' as const })) } : {}) })) as Records['group'][],
    enrolment: households.map((one, n) => ({
      id: id(22, n), number: `ENR-2026-${n}`, household: one.id, place: one.place, programme, cycle: null, mentor: me, assessment: id(29, n), assessed_by: me, state: 'active', verified_by: grace, verified_at: now, position: null, approved_by: grace, approved_at: now, to_mentor: null, history: [],
      milestones: [{ number: 1, state: 'completed', at: now, by: me, reason: '', cause: 'visit', subject: null }], created_at: now, updated_at: now, revision: 1,
    })),
    grant: grants,
    acknowledgement: acknowledgements,
    signature: [
      ...grants.flatMap((one, n) => one.households.map((each, i) => about(signature(200 + n * 5 + i, one.id, households.find(({ id: own }) => own === each)!.head_name), 'grant', 'grant_application', `I apply for the seed grant of KES ${(one.amount.amount_minor / 100).toLocaleString('en')} in the programme Graduation 2026 and will use it for what is written here.`))),
      ...acknowledgements.map((one, n) => about(signature(400 + n, one.id, home(n).head_name), 'acknowledgement', 'grant_acknowledgement', `I have received KES ${(one.amount_minor / 100).toLocaleString('en')} from the programme Graduation 2026.`)),
    ],
    evidence: [
      ...acknowledgements.map((one, n) => evidence(500 + n, one.id, 'front', { subject_kind: 'acknowledgement' })),
      ...[0, 1].map((n) => evidence(520 + n, id(28, 9), 'receipt', { subject_kind: 'utilisation' })),
    ],
  }
  return out
}
/** An application of three households, of whom two have signed. */
export function grantDraft({ id, now, households }: Pick<Given, 'id' | 'now' | 'households'>) {
  const line = (from: number) => Array.from({ length: 12 }, (_, i) => [from + i * 60, 500 + Math.round(240 * Math.sin(i + from)), i * 20, 128] as [number, number, number, number])
  const ink = { strokes: [line(200), line(1000), line(1900)], width: 300, height: 180, language: 'en' as const, text: 'I apply for a grant of KES 15,593 in the programme Graduation 2026.' }
  const signing = (n: number) => ({ signer_name: households[n % households.length]!.head_name, signer_role: 'beneficiary' as const, language: 'en' as const, ink: n < 18 ? ink : null, amount_minor: n < 18 ? 1_559_300 : null })
  return {
    id: id(24, 70), kind: 'grant' as const, subject: id(24, 70), household: null, captures: [], created_at: now - 7_000_000, updated_at: now - 900_000,
    value: {
      household: null, group: id(23, 2), policy: id(21, 1), description: 'A mill for maize that the three households run in turns.', income: '18000', expenses: '9500', startup: '14000',
      items: [{ key: 'a', what: 'Second-hand mill with motor', quantity: '1', unit: '11500' }, { key: 'b', what: 'Sacks', quantity: '20', unit: '150' }], answers: { business: 'retail', setting: 'rural', training: '92' }, note: '',
      signings: Object.fromEntries([16, 17, 18].map((n) => [households[n % households.length]!.id, signing(n)])), step: 'items' as const,
    },
  }
}
export const MENTOR = ['households.read', 'visits.record', 'grants.read', 'grants.prepare', 'programmes.read']
export const MANAGER = ['households.read', 'grants.read', 'grants.review', 'grants.approve_within', 'grants.release', 'programmes.manage', 'programmes.read']
