// At which stage a household is assessed for a programme, by which instrument, and the results of the stages side by side.
import type { Assessment, Enrolment, Id, Programme, Stage } from '../api/records'
import { count, type Instrument, type Words } from './instrument'
import { instrument } from './instruments'

export const STAGES: Stage[] = ['baseline', 'midterm', 'graduation']
export const stageOf = ({ stage }: Pick<Assessment, 'stage'>): Stage => stage ?? 'baseline'

/** The baseline until it takes part; then mid-term, and graduation where the programme has an instrument for it. */
export function stagesFor(programme: Programme, enrolments: Enrolment[]): Stage[] {
  if (!enrolments.some((one) => one.programme === programme.id && one.state === 'active')) return ['baseline']
  return programme.graduation_instrument ? ['midterm', 'graduation'] : ['midterm']
}

/** Null when this app does not have it. */
export function instrumentFor(programme: Programme, stage: Stage): Instrument | null {
  if (stage !== 'graduation') return instrument(programme.instrument, programme.version)
  const { graduation_instrument: key, graduation_version: version } = programme
  return key && version ? instrument(key, version) : null
}

/** Instruments that say whether a household is ready to graduate. */
export const graduates = ({ outcomes }: Instrument): boolean => outcomes.some(({ key }) => key === 'ready')

export interface Column {
  stage: Stage
  assessment: Assessment
  by: Instrument
}

/** The latest assessment of each stage for the programme, in the order of the stages. */
export function columnsOf(assessments: Assessment[], programme: Id): Column[] {
  return STAGES.flatMap((stage) => {
    const latest = assessments
      .filter((one) => one.programme === programme && stageOf(one) === stage)
      .sort((a, b) => b.assessed_at - a.assessed_at)[0]
    const by = latest && instrument(latest.instrument, latest.version)
    return latest && by ? [{ stage, assessment: latest, by }] : []
  })
}

export interface Table {
  by: Instrument
  columns: Column[]
  /** Hundredths of a point, by column. */
  score: number[]
  factors: { key: string; label: Words; points: number[] }[]
}

/** What was asked by the same questions, together: each factor as every column counted it. */
export function tablesOf(columns: Column[]): Table[] {
  return [...new Set(columns.map(({ by }) => by))].map((by) => {
    const own = columns.filter((column) => column.by === by)
    const counted = own.map(({ assessment }) => {
      // A phone's own record has no factors until the server has said them.
      const factors = assessment.factors.length ? assessment.factors : count(by, assessment.answers).factors
      return new Map(factors.map(({ key, points, weight }) => [key, points * weight]))
    })
    return {
      by,
      columns: own,
      score: own.map(({ assessment }) => assessment.score),
      factors: by.factors.map(({ key, label }) => ({ key, label, points: counted.map((found) => found.get(key) ?? 0) })),
    }
  })
}

/** How far from the first; none for that one. */
export const difference = (points: number[], at: number): number | null => (at === 0 ? null : points[at]! - points[0]!)
