// At which stage a household is assessed for a programme, by which instrument, and the results of the stages side by side.
import type { Assessment, Enrolment, Id, Programme, Stage } from '../api/records'
import { count, type Instrument } from './instrument'
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

export interface Line {
  /** The instrument that has this factor, and its key; none is the score. */
  by: Instrument
  factor: string | null
  /** Hundredths of a point by column; none where another instrument was used. */
  points: (number | null)[]
}

/** The score and each factor, as every column counted it; columns of one instrument share their lines. */
export function linesOf(columns: Column[]): Line[] {
  const instruments = [...new Set(columns.map(({ by }) => by))]
  const counted = columns.map(({ assessment, by }) => {
    // A phone's own record has no factors until the server has said them.
    const factors = assessment.factors.length ? assessment.factors : count(by, assessment.answers).factors
    return new Map(factors.map(({ key, points, weight }) => [key, points * weight]))
  })
  return instruments.flatMap((by) => {
    const of = (value: (at: number) => number | null) => columns.map((column, at) => (column.by === by ? value(at) : null))
    return [
      { by, factor: null, points: of((at) => columns[at]!.assessment.score) },
      ...by.factors.map(({ key }) => ({ by, factor: key, points: of((at) => counted[at]!.get(key) ?? null) })),
    ]
  })
}

/** How far from the first that was counted by the same instrument; none for that one. */
export function difference(points: (number | null)[], at: number): number | null {
  const first = points.findIndex((one) => one !== null)
  const [from, to] = [points[first] ?? null, points[at] ?? null]
  return from === null || to === null || at === first ? null : to - from
}
