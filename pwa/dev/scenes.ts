// The sample scenes: a full day, an empty start, work that waits, names that are long, households that climb.
import type { Evidence, Household, Inbox, Kind, Place, Records, Signature, Visit } from '../src/api/records'
import { climbing } from './climbing'
import { grantDraft, grantRecords, MANAGER, MENTOR } from './grants'
import type { Attention, CaptureMeta, Draft, Waiting } from '../src/db/schema'

export const scenes = ['day', 'empty', 'first', 'waiting', 'long', 'climb', 'climb-long', 'climb-team', 'climb-many', 'grants', 'desk', 'caseload'] as const
export type SceneName = (typeof scenes)[number]

const id = (group: number, n: number) =>
  `0199aaaa-${String(group).padStart(4, '0')}-7000-8000-${String(n).padStart(12, '0')}`
export const account = { id: id(1, 1), name: 'Amina Wanjala', login: 'amina.mentor' }
const DAY = 86_400_000
const now = Date.now()
const morning = new Date().setHours(9, 30, 0, 0)
const me = id(2, 1),
  grace = id(2, 2),
  org = id(3, 1),
  device = id(9, 9)

const villages = ['Kapsowar', 'Chebara', 'Kimumu', 'Moiben'].map((name, i): Place => ({
  id: id(4, i + 10),
  parent: id(4, 2),
  level: 2,
  level_name: 'Village',
  code: `V${i}`,
  name,
  lat: 0.98,
  lon: 35.55,
}))
const places: Place[] = [
  {
    id: id(4, 1),
    parent: null,
    level: 0,
    level_name: 'County',
    code: 'EM',
    name: 'Elgeyo-Marakwet',
    lat: null,
    lon: null,
  },
  {
    id: id(4, 2),
    parent: id(4, 1),
    level: 1,
    level_name: 'Sub-county',
    code: 'MW',
    name: 'Marakwet West',
    lat: null,
    lon: null,
  },
  ...villages,
]
const names = [
  'Wanjiku Kamau',
  'Chebet Kiprono',
  'Akinyi Odhiambo',
  'Nafula Wekesa',
  'Jepkosgei Ruto',
  'Moraa Nyaboke',
  'Halima Abdi',
  'Kerubo Momanyi',
  'Cherono Koech',
  'Mwikali Mutua',
  'Atieno Ouma',
  'Wambui Njoroge',
  'Naliaka Barasa',
  'Jerotich Cheruiyot',
  'Zawadi Mwakio',
  'Kiprop Sang',
  'Baraka Juma',
  'Nyambura Gichuru',
  'Fatuma Hassan',
  'Chepkemoi Langat',
  'Musimbi Shiundu',
  'Auma Owino',
  'Ndinda Musyoka',
  'Rehema Salim',
]
const long = [
  'Bibi Mwanakombo Fatuma bint Abdulrahman Al-Mazrui Mwinyihaji',
  'Nyanchama-Kwamboka Bosibori Nyaboke Onyancha',
  'Wolfeschlegelsteinhausenbergerdorff',
]

function household(name: string, n: number): Household {
  const visited = n % 5 === 4 ? null : now - ((n * 7) % 47) * DAY
  return {
    id: id(5, n),
    number: `HH-2026-${String(n + 1).padStart(5, '0')}`,
    place: villages[n % 4]!.id,
    head_name: name,
    head_sex: n % 6 === 3 ? 'male' : 'female',
    head_birth_date: `${1958 + ((n * 7) % 42)}-03-14`,
    national_id: String(20000000 + n * 12345),
    phone: `+2547${String(12345678 + n * 111).slice(0, 8)}`,
    members: [
      { id: id(6, n * 10), name, sex: 'female', birth_date: '1984-03-14', relationship: 'head', participant: true },
      {
        id: id(6, n * 10 + 1),
        name: `Kevin ${name.split(' ').at(-1)}`,
        sex: 'male',
        birth_date: '2012-08-02',
        relationship: 'child',
        participant: false,
      },
      {
        id: id(6, n * 10 + 2),
        name: `Faith ${name.split(' ').at(-1)}`,
        sex: 'female',
        birth_date: '2016-01-20',
        relationship: 'child',
        participant: false,
      },
    ],
    lat: 0.98123,
    lon: 35.55213,
    accuracy_m: 8,
    monthly_income_minor: 450000 + n * 25000,
    electricity: n % 2 === 0,
    clean_water: n % 3 === 0,
    disability: false,
    notes: 'Sells vegetables at the market on Tuesdays and Saturdays. Wants to buy a second goat before the rains.',
    photo: n % 7 === 6 ? null : id(7, n),
    photo_placeholder: n % 7 === 6 ? null : '1QcSHQRnh493V4dIh4eXh1h4kJUI',
    consent_at: now - 90 * DAY,
    last_visit_at: visited,
    registered_by: me,
    registered_at: now - 100 * DAY,
    updated_at: now,
    revision: n + 1,
  }
}

function visit(n: number, whose: number, state: Visit['state'], more: Partial<Visit> = {}): Visit {
  const done = !['planned', 'missed', 'cancelled'].includes(state)
  return {
    id: id(8, n),
    number: done ? `VIS-2026-${String(n + 1).padStart(5, '0')}` : null,
    household: id(5, whose),
    place: villages[whose % 4]!.id,
    mentor: me,
    state,
    kind: n % 3 === 2 ? 'follow_up' : 'scheduled',
    planned_at: null,
    started_at: done ? now - n * DAY - 3_600_000 : null,
    ended_at: done ? now - n * DAY - 1_200_000 : null,
    topics: done ? ['business', 'savings', 'nutrition'] : [],
    observations: done
      ? 'The kiosk is open again and well stocked. She keeps a cash book now, with yesterday filled in. The younger child coughs.'
      : '',
    recommendations: done ? 'Separate the money of the kiosk from the money of the house.' : '',
    action_items: done ? 'Open a savings box this week\nTake Faith to the dispensary on Friday' : '',
    business_status: done ? 'stable' : null,
    income_minor: done ? 620000 : null,
    support_needed: '',
    lat: done ? 0.98123 : null,
    lon: done ? 35.55213 : null,
    accuracy_m: done ? 8 : null,
    no_gps_reason: null,
    note: null,
    decided_by: null,
    decided_at: null,
    round: done ? 1 : 0,
    submitted_at: done ? now - n * DAY : null,
    created_at: now - (n + 1) * DAY,
    updated_at: now,
    revision: 40 + n,
    ...more,
  }
}

const evidence = (n: number, subject: string, slot: string, more: Partial<Evidence> = {}): Evidence => ({
  id: id(10, n),
  subject_kind: 'visit',
  subject,
  slot,
  mime: 'image/jpeg',
  bytes: 240_000,
  sha256: 'a'.repeat(64),
  width: 1600,
  height: 1200,
  captured_at: now - n * 3_600_000,
  lat: 0.98,
  lon: 35.55,
  accuracy_m: 8,
  device,
  captured_by: me,
  state: 'ready',
  reason: null,
  received_at: now,
  supersedes: null,
  superseded_by: null,
  placeholder: '1QcSHQRnh493V4dIh4eXh1h4kJUI',
  updated_at: now,
  revision: n,
  ...more,
})
const signature = (n: number, subject: string, name: string): Signature => ({
  id: id(11, n),
  subject_kind: 'visit',
  subject,
  signer_name: name,
  signer_role: 'beneficiary',
  template: 'visit',
  version: 1,
  language: 'en',
  statement: `I, ${name}, confirm that Amina Wanjala visited me and that what was recorded is true.`,
  signed_at: now - n * DAY,
  received_at: now,
  sha256: 'b'.repeat(64),
  sequence: n,
  server_signature: 'x',
  superseded_by: null,
  revision: n,
})
/** Consents given and withdrawn, and a household with another merged into it. */
function settling(records: { [K in Kind]?: Records[K][] }): void {
  const [agreed, withdrew, kept, gone] = records.household as [Household, Household, Household, Household]
  const step = { id: id(16, 1), purpose: 'programme', version: 1, language: 'sw' as const, signature: id(11, 90), picture: null, by: me, reason: '' }
  agreed.consents = [{ ...step, event: 'given', at: now - 90 * DAY }]
  records.signature!.push({ ...signature(90, agreed.id, agreed.head_name), subject_kind: 'household', template: 'consent' })
  withdrew.consent_at = null
  withdrew.consents = [
    { ...step, event: 'given', at: now - 90 * DAY },
    { ...step, event: 'withdrawn', at: now - 2 * DAY, reason: 'She does not want photos of her home to be kept.' },
  ]
  kept.consent_at = null
  gone.merged_into = kept.id
  const fields = { phone: { was: '+254700000000', now: kept.phone }, notes: { was: null, now: 'By the mill' } }
  kept.merges = [{ household: gone.id, by: grace, at: now - DAY, fields }]
  const texts = {
    en: 'I, of the household of {household}, agree that {organisation} keeps what we tell about our household and photos of us, uses them to see whether we can take part in its programme and to accompany us in it, and shows them only to those who work for the programme. {mentor} read this to me on {date}. I know that we may say no, and that I can take this consent back at any time without losing anything that is ours.',
    sw: 'Mimi, wa kaya ya {household}, ninakubali kwamba {organisation} itunze tunayoeleza kuhusu kaya yetu pamoja na picha zetu, iyatumie kuona kama tunaweza kushiriki katika programu yake na kutusaidia ndani yake, na iyaonyeshe tu kwa wanaofanya kazi ya programu. {mentor} amenisomea maneno haya tarehe {date}.',
  }
  records.statement!.push(
    ...(['en', 'sw'] as const).map((language, n) => ({ id: id(17, n), key: 'consent', version: 1, language, text: texts[language] })),
  )
}

const message = (n: number, kind: Inbox['kind'], subject: string, name: string, note?: string): Inbox => ({
  id: id(12, n),
  member: me,
  kind,
  subject_kind: 'visit',
  subject,
  params: { household_name: name, by_name: 'Grace Chepkoech', note },
  created_at: now - n * 0.6 * DAY,
  read_at: n > 1 ? now : null,
  revision: n,
})

const member = {
  id: me,
  name: account.name,
  role: 'mentor' as const,
  supervisor: grace,
  places: villages.map((v) => v.id),
  active: true,
}
const organisation = {
  id: org,
  code: 'KILELE',
  name: 'Boma Graduation Programme',
  locale: 'en' as const,
  currency: 'KES',
  time_zone: 'Africa/Nairobi',
  demo: true,
  topics: ['business', 'savings', 'health', 'education', 'nutrition', 'group', 'training', 'other'],
  required_slots: ['front', 'back', 'signature'],
}
const statement = (n: number, language: 'en' | 'sw', text: string) => ({
  id: id(13, n),
  key: 'visit',
  version: 1,
  language,
  text,
})

const STATEMENTS = [
  ['grant_application', 'en', 'I, {household} of {group}, apply for a grant of {amount} in the programme {programme} of {organisation}. I will use it for what is written in the plan. {mentor} explained it to me on {date}.'],
  ['grant_application', 'sw', 'Mimi, {household} wa {group}, naomba ruzuku ya {amount} katika mpango {programme} wa {organisation}. Nitaitumia kwa yaliyoandikwa kwenye mpango. {mentor} alinieleza tarehe {date}.'],
  ['grant_acknowledgement', 'en', 'I, {household}, confirm that I received {amount} from {organisation} on {date}, in the programme {programme}.'],
  ['grant_acknowledgement', 'sw', 'Mimi, {household}, nathibitisha kwamba nimepokea {amount} kutoka {organisation} tarehe {date}, katika mpango {programme}.'],
] as const

export function scene(name: SceneName) {
  const records: { [K in Kind]?: Records[K][] } = {
    organisation: [organisation],
    place: places,
    person: [
      member,
      { ...member, id: grace, name: 'Grace Chepkoech', role: 'supervisor', supervisor: null },
      ...(name.startsWith('climb') ? [{ ...member, id: id(2, 3), name: 'Peter Kibet' }] : []),
    ],
    statement: [
      statement(
        1,
        'en',
        'I, {household}, confirm that {mentor} of {organisation} visited me on {date}, that we spoke about what is written here, and that the photos were taken with my consent.',
      ),
      statement(
        2,
        'sw',
        'Mimi, {household}, nathibitisha kwamba {mentor} wa {organisation} alinitembelea tarehe {date}, kwamba tulizungumza yaliyoandikwa hapa, na kwamba picha zilipigwa kwa idhini yangu.',
      ),
    ],
  }
  const outbox: Waiting[] = [],
    captures: CaptureMeta[] = [],
    drafts: Draft[] = [],
    attention: Attention[] = []
  const by = { member: me, device, place: villages[0]!.id }
  if (name !== 'first' && name !== 'empty') {
    const many = Array.from({ length: 500 }, (_, n) => `${names[n % names.length]} ${n + 1}`)
    const all = name === 'long' ? long : name === 'climb-long' ? names.map((one, n) => long[n % 3]!) : name === 'climb-many' ? many : names
    records.household = all.map(household)
    if (name.startsWith('climb')) Object.assign(records, climbing(records.household, { id, now, me, decides: grace }))
    const whose = (n: number) => all[n % all.length]!
    records.visit = [
      visit(1, 1, 'planned', { planned_at: morning }),
      visit(2, 2, 'planned', { planned_at: morning + 2.5 * 3_600_000, kind: 'follow_up' }),
      visit(3, name === 'long' ? 0 : 8, 'planned', { planned_at: now - 4 * DAY }),
      visit(4, 0, 'returned', {
        note: 'The person can’t be recognised in the photo. Please take the first photo again by daylight.',
        decided_by: grace,
        decided_at: now - DAY,
      }),
      visit(5, 2, 'submitted'),
      visit(6, 0, 'approved', { decided_by: grace, decided_at: now - 5 * DAY }),
      visit(36, 0, 'approved', { decided_at: now - 35 * DAY }),
    ]
    records.evidence = [4, 5, 6, 36].flatMap((n) => [
      evidence(n * 2, id(8, n), 'front'),
      evidence(n * 2 + 1, id(8, n), 'back'),
    ])
    records.evidence[1] = { ...records.evidence[1]!, state: 'quarantined', reason: 'truncated' }
    records.evidence.push(
      ...(records.survey ?? []).map((one, n) => evidence(200 + n, one.id, 'site', { subject_kind: 'survey' })),
    )
    records.signature = [4, 5, 6, 36].map((n) => signature(n, id(8, n), whose(n === 5 ? 2 : 0)))
    records.inbox = [
      message(
        0,
        'visit_returned',
        id(8, 4),
        whose(0),
        'The person can’t be recognised in the photo. Please take the first photo again by daylight.',
      ),
      message(1, 'visit_planned', id(8, 2), whose(2)),
      message(2, 'visit_approved', id(8, 6), whose(0)),
      message(5, 'evidence_quarantined', id(8, 4), whose(0)),
    ]
    drafts.push({
      id: id(8, 70),
      kind: 'visit',
      subject: id(8, 70),
      household: id(5, name === 'long' ? 1 : 5),
      captures: [],
      created_at: now - 7_000_000,
      updated_at: now - 1_500_000,
      value: {
        fields: {
          ...visit(70, 5, 'planned'),
          started_at: now - 7_000_000,
          topics: ['business', 'health'],
          observations: 'New stock of onions',
        },
        income: '5500',
        reason: null,
        reason_text: '',
        signer_name: whose(5),
        signer_role: 'beneficiary',
        language: 'en',
        ink: null,
        step: 'photos',
      },
    })
  }
  if (name === 'waiting') {
    const mine = records.visit![4]!
    const body = { ...mine, evidence: [], signature: null }
    outbox.push({
      id: id(14, 1),
      command: { id: id(14, 1), kind: 'visit.submit', at: now, body } as never,
      by,
      records: [`visit:${mine.id}`],
      captures: [id(10, 10), id(10, 11)],
      size: 900,
      done: false,
    })
    ;['front', 'back'].forEach((slot, i) =>
      captures.push({
        ...evidence(10 + i, mine.id, slot),
        draft: null,
        command: id(14, 1),
        state: i ? 'queued' : 'uploading',
        upload: null,
        offset: i ? 0 : 130_000,
        restarts: 0,
        receipt: null,
        error: null,
        dark: false,
        blurred: false,
      } as CaptureMeta),
    )
    attention.push({
      id: id(15, 1),
      kind: 'visit.submit',
      command: {
        id: id(15, 1),
        kind: 'visit.submit',
        at: now,
        body: { ...visit(80, 3, 'submitted'), evidence: [], signature: null },
      } as never,
      by,
      records: [],
      captures: [],
      code: 'evidence_missing',
      message: 'A photo is missing',
      field: 'evidence',
      at: now - DAY,
    })
  }
  const team = name === 'climb-team'
  const desk = name === 'desk'
  if (desk || name === 'grants' || name === 'long') {
    const more = grantRecords({ id, me: desk ? grace : me, grace: desk ? id(2, 5) : grace, now, households: records.household!, evidence, signature })
    for (const [kind, own] of Object.entries(more) as [Kind, never[]][]) records[kind] = [...(records[kind] ?? []), ...own] as never
    records.statement!.push(...STATEMENTS.map(([key, language, text], n) => ({ ...statement(30 + n, language, text), key })))
    if (!desk) drafts.push(grantDraft({ id, now, households: records.household! }))
    for (const [n, role, named] of [[3, 'approver', 'Peter Mwangi'], [4, 'programme_manager', 'Esther Achieng'], [5, 'supervisor', 'Ruth Chelimo']] as const)
      records.person!.push({ ...member, id: id(2, n), name: named, role, supervisor: null })
  }
  if (name === 'caseload') settling(records)
  const session = {
    account: { ...account, locale: 'en' },
    member: team ? records.person!.find((one) => one.id === grace)! : desk ? { ...member, role: 'programme_manager' as const } : member,
    organisation,
    capabilities: desk
      ? MANAGER
      : name === 'caseload'
      ? ['households.read', 'households.write', 'conflicts.settle', 'visits.read', 'visits.record', 'visits.decide', 'figures.read']
      : [
          ...(name === 'grants' || name === 'long' ? MENTOR : []),
          ...['households.read', 'households.write', 'visits.read', 'visits.record', 'visits.plan_own', 'programmes.read', 'programmes.assess'],
          ...(team ? ['visits.decide', 'visits.plan', 'enrolments.decide', 'conflicts.settle', 'figures.read'] : []),
        ],
    device,
    access_expires_at: now + 900_000,
    server_time: now,
  }
  return {
    records,
    outbox,
    captures,
    drafts,
    attention,
    session,
    lastSyncAt: name === 'first' ? null : now - 120_000,
    feedOf: (kind: Kind, body: { place?: string; id: string }) => (kind === 'inbox' ? me : (body.place ?? org)),
  }
}
