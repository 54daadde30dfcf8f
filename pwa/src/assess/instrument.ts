// Counts answers by an instrument (data, `instruments/`) as the server's `assessments/counting.rs` does; both meet the
// table in tests/fixtures/eligibility to the digit, for all that is counted is whole numbers.
import type { Answers, Language } from '../api/records'

export type Words = Record<Language, string>
export interface Question {
  key: string
  kind: 'whole' | 'flag' | 'several'
  label: Words
  min?: number
  max?: number
  optional?: boolean
  unit?: 'money' | 'km'
  options?: { key: string; label: Words }[]
}
interface Test {
  of: string
  is?: boolean
  missing?: boolean
  /** At most, less than, at least, more than. */
  to?: number
  below?: number
  from?: number
  over?: number
}
export interface Instrument {
  key: string
  version: number
  name: Words
  questions: Question[]
  /** Worked out from answers: how many of `count` are among them, or one number for each of another. */
  values: { key: string; of: string; count?: string[]; per?: string }[]
  factors: {
    key: string
    label: Words
    weight: number
    base?: number
    least?: number
    most?: number
    /** The first step of each term of which any test holds gives its points; one without a test always holds. */
    terms: { if?: Test[]; points: number }[][]
  }[]
  conditions: { key: string; label: Words; if: Test }[]
  outcomes: { key: string; label: Words; from?: number; then: Then }[]
  requires: string[]
}
export type Then = 'qualifies' | 'review' | 'no'
export interface Counting {
  /** Hundredths of a point. */
  score: number
  factors: { key: string; points: number; weight: number }[]
  failed: string[]
  outcome: string
  then: Then
}

/** Of answers that fit their questions; see `misfits`. */
export function count(instrument: Instrument, answers: Answers): Counting {
  const factors = instrument.factors.map(({ key, weight, base = 0, least = -1000, most = 1000, terms }) => {
    const steps = terms.map((term) => term.find((step) => !step.if || step.if.some((test) => holds(instrument, test, answers))))
    const points = steps.reduce((sum, step) => sum + (step?.points ?? 0), base)
    return { key, points: Math.min(Math.max(points, least), most), weight }
  })
  const score = factors.reduce((sum, { points, weight }) => sum + points * weight, 0)
  const failed = instrument.conditions.filter((one) => !holds(instrument, one.if, answers)).map(({ key }) => key)
  const reached = instrument.outcomes.find(({ from }) => !failed.length && (from === undefined || score >= from * 100))
  const outcome = reached ?? instrument.outcomes.at(-1)!
  return { score, factors, failed, outcome: outcome.key, then: outcome.then }
}

/** Keys of questions that have no answer, or none that fits. */
export function misfits({ questions }: Instrument, answers: Answers): string[] {
  const fits = ({ key, kind, min = 0, max = 0, optional, options }: Question) => {
    const answer = answers[key] ?? null
    if (answer === null) return optional
    if (kind === 'flag') return typeof answer === 'boolean'
    if (kind === 'whole') return Number.isInteger(answer) && (answer as number) >= min && (answer as number) <= max
    return Array.isArray(answer) && answer.every((one) => options?.some((option) => option.key === one))
  }
  return questions.filter((question) => !fits(question)).map(({ key }) => key)
}

function known(instrument: Instrument, key: string, answers: Answers): Answers[string] {
  const derived = instrument.values.find((value) => value.key === key)
  if (!derived) return answers[key] ?? null
  const of = known(instrument, derived.of, answers)
  if (Array.isArray(of)) return of.filter((one) => derived.count?.includes(one)).length
  const per = derived.per ? known(instrument, derived.per, answers) : null
  return typeof of === 'number' && typeof per === 'number' ? of / Math.max(per, 1) : null
}

function holds(instrument: Instrument, test: Test, answers: Answers): boolean {
  const value = known(instrument, test.of, answers)
  if (value === null) return test.missing === true
  if (typeof value === 'boolean') return test.is === value
  if (typeof value !== 'number' || test.missing || test.is !== undefined) return false
  const { to = Infinity, below = Infinity, from = -Infinity, over = -Infinity } = test
  return value <= to && value < below && value >= from && value > over
}
