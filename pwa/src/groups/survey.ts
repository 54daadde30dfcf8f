// What the survey form holds while it is filled in, what is still missing, and the record that comes of it.
import type { Health, SurveyFields, SurveyKind } from '../api/grants'
import type { Id } from '../api/records'
import { m } from '../paraglide/messages.js'
import { minor } from '../shell/inputs'

export interface SurveyForm {
  group: Id
  kind: SurveyKind
  operating: string | null
  income: string
  expenses: string
  savings: string
  health: Health | null
  score: string
  challenges: string
  next_steps: string
  position: { lat: number; lon: number; accuracy_m: number } | null
  reason: string | null
}

export const blank = (group: Id, kind: SurveyKind): SurveyForm => ({
  group, kind, operating: null, income: '', expenses: '', savings: '', health: null, score: '', challenges: '', next_steps: '',
  position: null, reason: null,
})

/** A progress survey has none. */
export const scored = (kind: SurveyKind): boolean => kind !== 'progress'

/** 0 … 100; null when nothing is there, NaN when it does not fit. */
export function scoreOf(text: string): number | null {
  const plain = text.trim()
  if (!plain) return null
  return /^\d{1,3}$/.test(plain) && Number(plain) <= 100 ? Number(plain) : NaN
}

/** By the id of the field. */
export function faults(form: SurveyForm, photo: boolean): Record<string, string> {
  const found: Record<string, string> = {}
  const money = (text: string, optional: boolean) => {
    const value = minor(text)
    return value === null ? !optional : Number.isNaN(value)
  }
  if (!form.operating) found.operating = m.survey_fault_operating()
  if (money(form.income, false)) found.income = m.survey_fault_income()
  if (money(form.expenses, false)) found.expenses = m.survey_fault_expenses()
  if (money(form.savings, true)) found.savings = m.survey_fault_savings()
  if (!form.health) found.health = m.survey_fault_health()
  const score = scoreOf(form.score)
  if (scored(form.kind) && (score === null || Number.isNaN(score))) found.score = m.survey_fault_score()
  if (!form.position && !form.reason) found.position = m.fault_place()
  if (!photo) found.photo = m.survey_fault_photo()
  return found
}

/** Of a form without faults. */
export function fieldsOf(id: Id, form: SurveyForm): SurveyFields {
  const { group, kind, health, position, reason } = form
  return {
    id,
    group,
    kind,
    operating: form.operating === 'yes',
    income_minor: minor(form.income) ?? 0,
    expenses_minor: minor(form.expenses) ?? 0,
    savings_minor: minor(form.savings),
    health: health ?? 'yellow',
    score: scored(kind) ? scoreOf(form.score) : null,
    challenges: form.challenges.trim(),
    next_steps: form.next_steps.trim(),
    position: position ? { ...position, no_gps_reason: null } : { lat: null, lon: null, accuracy_m: null, no_gps_reason: reason },
  }
}
