// Sample ladders, groups, surveys and assessments for the households of a scene, each at another height.
import milestones from '../../instruments/milestones-1.json'
import type { Group, Health, Milestone, Survey } from '../src/api/grants'
import type { Assessment, Cycle, Enrolment, Household, Id, Kind, Programme, Records, Stage } from '../src/api/records'

const DAY = 86_400_000
const causes: Record<string, string | null> = Object.fromEntries(milestones.milestones.map(({ number, cause }) => [number, cause]))

interface Made {
  id: (group: number, n: number) => Id
  now: number
  me: Id
  decides: Id
}

export function climbing(homes: Household[], { id, now, me, decides }: Made): { [K in Kind]?: Records[K][] } {
  const programme: Programme = {
    id: id(20, 1), code: 'FY26', name: 'Boma Graduation 2026', kind: 'graduation', category: 'graduation', status: 'open', instrument: 'weighted',
    version: 1, graduation_instrument: 'graduation', graduation_version: 1, places: [], target: 400, budget_minor: 900_000_000, starts_on: '2026-01-05',
    ends_on: null, updated_at: now, revision: 1,
  }
  const cycle = (n: number, code: string, days: number): Cycle => ({
    id: id(21, n), programme: programme.id, code, office: 'Iten', associate: decides, mentors: [me],
    starts_on: new Date(now - days * DAY).toISOString().slice(0, 10), ends_on: null, updated_at: now, revision: 1,
  })
  const cycles = [cycle(1, 'FY26C1', 190), cycle(2, 'FY26C2', 60)]

  const ladder = (n: number, height: number): Milestone[] =>
    milestones.milestones.map(({ number, day }) => {
      const done = number <= height
      const begun = number === height + 1 && n % 3 !== 1
      return {
        number,
        state: done ? (number === 3 && n % 5 === 2 ? 'skipped' : 'completed') : begun ? 'in_progress' : 'not_started',
        at: done ? now - Math.max(2, (cyclesAgo(n) - day) * 0.9 + (n % 4) * 6) * DAY : begun ? now - ((n * 13) % 80) * DAY : null,
        by: done || begun ? me : null,
        reason: done && number === 8 ? 'Tumaini women’s savings group' : number === 3 && n % 5 === 2 && done ? 'The plan was made with the neighbour’s.' : '',
        cause: done && number !== 8 && !(number === 3 && n % 5 === 2) ? causes[number]! : null,
        subject: done ? id(8, 6) : null,
      }
    })
  const cyclesAgo = (n: number) => (n % 3 === 0 ? 60 : 190)
  const heights = [6, 2, 7, 12, 1, 5, 6, 0, 8, 3, 4, 11]
  const enrolments = homes.slice(0, -2).map((home, n): Enrolment => ({
    id: id(22, n), number: `ENR-2026-${String(n + 1).padStart(5, '0')}`, household: home.id, place: home.place, programme: programme.id,
    cycle: cycles[n % 3 === 0 && n > 0 ? 1 : 0]!.id, mentor: n % 7 === 6 ? id(2, 3) : me, assessment: id(23, n * 3), assessed_by: me, state: 'active',
    verified_by: decides, verified_at: now - 195 * DAY, position: { lat: 0.98, lon: 35.55, accuracy_m: 8, no_gps_reason: null }, approved_by: decides,
    approved_at: now - 192 * DAY, to_mentor: null,
    history: [
      { event: null, state: 'applied', by: me, at: now - 200 * DAY, reason: '' },
      { event: 'activate', state: 'active', by: decides, at: now - 188 * DAY, reason: '' },
    ],
    milestones: ladder(n, n === 0 ? 6 : heights[n % heights.length]!), created_at: now - 200 * DAY, updated_at: now, revision: n + 1,
  }))

  const assessment = (n: number, home: Household, stage: Stage, at: number, change: number): Assessment => ({
    id: id(23, n), household: home.id, place: home.place, programme: programme.id, stage, instrument: stage === 'graduation' ? 'graduation' : 'weighted', version: 1,
    answers:
      stage === 'graduation'
        ? { meals: 3, food_months: 11, income: 9000, expenses: 6000, savings: 7000, assets: ['poultry', 'stock'], children: 2, in_school: 2, business: true, emergency: false }
        : { ppi: 28 + change, income: 2400 + change * 300, assets: ['radio', 'mobile', ...(change ? ['livestock'] : [])], female_head: true, head_age: 42, disability: false, single_parent: true, dependents: 4, adults: 2, remote: true, market_km: 12, electricity: change > 0, clean_water: change > 0, household_size: 6, under_fives: 1, head_schooled: true },
    consent: true, note: '', score: stage === 'graduation' ? 7900 : 7125 - change * 150, outcome: stage === 'graduation' ? 'ready' : 'eligible', failed: [], factors: [],
    qualification: 'qualified', blocks: [], phone_score: null, assessed_by: me, assessed_at: at, created_at: at, updated_at: at, revision: 1,
  })
  const assessments = homes.slice(0, -2).flatMap((home, n) => [
    assessment(n * 3, home, 'baseline', now - 200 * DAY, 0),
    ...(n === 0 || n === 3 ? [assessment(n * 3 + 1, home, 'midterm', now - 20 * DAY, 14)] : []),
    ...(n === 0 || n === 3 ? [assessment(n * 3 + 2, home, 'graduation', now - 2 * DAY, 0)] : []),
  ])

  const inPlace = Map.groupBy(homes.slice(0, -2), ({ place }) => place)
  const titles = ['Tumaini', 'Imara Poultry', 'Neema ya Jioni Vegetables and Fresh Produce Traders', 'Umoja', 'Jitegemee', 'Pambazuko']
  const healths: Health[] = ['green', 'yellow', 'red', 'green']
  const groups = [...inPlace.values()].map((all, n): Group => ({
    id: id(24, n), number: `GRP-2026-${String(n + 1).padStart(5, '0')}`, place: all[0]!.place, programme: programme.id, name: titles[n % titles.length]!,
    type: (['retail', 'livestock', 'crop', 'service'] as const)[n % 4]!,
    members: all.slice(0, n % 2 ? 2 : 3).map(({ id: household }, at) => ({ household, role: (['leader', 'treasurer', 'secretary'] as const)[at]! })),
    health: healths[n % 4]!, health_note: n % 4 === 2 ? 'Half of the stock spoiled in the rains and nobody keeps the cash book.' : '',
    health_at: now - 12 * DAY, health_by: me, state: n === 3 ? 'dissolved' : 'active', reason: n === 3 ? 'Both members moved to Eldoret.' : '', mentor: me,
    formed_on: '2026-07-02', created_at: now - 140 * DAY, updated_at: now, revision: n + 1,
  }))
  const survey = (n: number, group: Group, days: number, health: Health, over: Partial<Survey> = {}): Survey => ({
    id: id(25, n), group: group.id, kind: 'progress', operating: true, income_minor: 1_850_000 - days * 4_000, expenses_minor: 1_120_000, savings_minor: 240_000, health,
    score: null, challenges: 'The road is cut when it rains, so that goods come late.', next_steps: 'Buy a second weighing scale\nOpen a book for what customers owe',
    position: { lat: 0.98, lon: 35.55, accuracy_m: 8, no_gps_reason: null }, place: group.place, surveyed_by: me, surveyed_at: now - days * DAY,
    created_at: now - days * DAY, revision: 1, ...over,
  })
  const surveys = groups.flatMap((group, n) =>
    n > 2 ? [] : [
      survey(n * 4, group, 12, group.health, { kind: 'performance', score: n === 2 ? 52 : 84 - n * 10 }),
      survey(n * 4 + 1, group, 45, 'yellow'),
      survey(n * 4 + 2, group, 90, 'red', { operating: false, savings_minor: null }),
    ],
  )
  return { programme: [programme], cycle: cycles, enrolment: enrolments, assessment: assessments, group: groups, survey: surveys }
}
