// What the assessment form holds while it is filled in, what is known beforehand, and the answers that come of it.
import type { Answers, Household, Stage } from '../api/records'
import { age } from '../shell/dates'
import type { Instrument } from './instrument'

export type Value = string | string[] | null
export interface AssessmentForm {
  programme: string
  /** None until the household takes part: the baseline. A draft of an older app does not say. */
  stage?: Stage | null
  /** Of an application. */
  cycle?: string
  /** Text of numbers, yes or no, or the options chosen. */
  values: Record<string, Value>
  consent: string | null
  note: string
}

const flag = (value: boolean | null) => (value === null ? null : value ? 'yes' : 'no')

/** Answers that the household's record has already; a question of another key has none. */
export function knownOf(home: Household): Record<string, Value> {
  const births = home.members.map(({ birth_date }) => age(birth_date))
  const years = age(home.head_birth_date)
  const income = home.monthly_income_minor
  return {
    income: income === null ? null : String(Math.round(income / 100)),
    female_head: home.head_sex && flag(home.head_sex === 'female'),
    head_age: years === null ? null : String(years),
    disability: flag(home.disability),
    electricity: flag(home.electricity),
    clean_water: flag(home.clean_water),
    household_size: home.members.length ? String(home.members.length + 1) : null,
    under_fives: home.members.length && !births.includes(null) ? String(births.filter((one) => one! < 5).length) : null,
  }
}

export function answersOf({ questions }: Instrument, values: Record<string, Value>): Answers {
  const answer = (kind: string, value: Value | undefined) => {
    if (kind === 'several') return Array.isArray(value) ? value : []
    if (typeof value !== 'string' || !value.trim()) return null
    if (kind === 'flag') return value === 'yes'
    const plain = value.replace(/[\s,]/g, '')
    return /^\d{1,9}$/.test(plain) ? Number(plain) : NaN
  }
  return Object.fromEntries(
    questions.flatMap(({ key, kind }) => {
      const found = answer(kind, values[key])
      return found === null ? [] : [[key, found]]
    }),
  )
}
