// What the form of a grant holds while it is filled in, what is still missing, and the plan that comes of it.
import type { BusinessPlan, Grant, GrantAmount, Policy } from '../api/grants'
import type { Id, Language } from '../api/records'
import { said } from '../assess/words'
import { newId } from '../ids'
import { m } from '../paraglide/messages.js'
import { money } from '../shell/dates'
import { fromMinor, minor } from '../shell/inputs'
import type { Signing } from '../signature/signing'
import { amountOf, type Inputs } from './amount'

export const steps = ['policy', 'plan', 'amount', 'items', 'signatures', 'review'] as const
export type Step = (typeof steps)[number]
export const stepLabel: Record<Step, () => string> = {
  policy: m.grant_step_policy,
  plan: m.grant_step_plan,
  amount: m.grant_step_amount,
  items: m.grant_step_items,
  signatures: m.grant_step_signatures,
  review: m.step_review,
}

export interface ItemRow {
  key: string
  what: string
  quantity: string
  unit: string
}
/** A signature belongs to the amount that its text says. */
export interface GrantSigning extends Signing {
  amount_minor: number | null
}
export interface GrantForm {
  household: Id | null
  group: Id | null
  policy: Id
  description: string
  income: string
  expenses: string
  startup: string
  items: ItemRow[]
  answers: Record<string, string>
  note: string
  signings: Record<Id, GrantSigning>
  step: Step
}

export const emptyItem = (): ItemRow => ({ key: newId(), what: '', quantity: '1', unit: '' })

export function formOf(grant: Grant | null, household: Id | null, group: Id | null): GrantForm {
  const plan = grant?.plan
  return {
    household: grant?.household ?? household,
    group: grant?.group ?? group,
    policy: grant?.policy.id ?? '',
    description: plan?.description ?? '',
    income: fromMinor(plan?.projected_income_minor ?? null),
    expenses: fromMinor(plan?.monthly_expenses_minor ?? null),
    startup: fromMinor(plan?.startup_minor ?? null),
    items: plan?.items.map(({ what, quantity, unit_minor }) => ({ key: newId(), what, quantity: String(quantity), unit: fromMinor(unit_minor) })) ?? [emptyItem()],
    answers: Object.fromEntries(Object.entries(grant?.answers ?? {}).map(([key, value]) => [key, String(value)])),
    note: grant?.note ?? '',
    signings: {},
    step: 'policy',
  }
}

export const signingOf = (name: string, language: Language): GrantSigning =>
  ({ signer_name: name, signer_role: 'beneficiary', language, ink: null, amount_minor: null })

const whole = (text: string): number | null => (/^\d{1,6}$/.test(text.trim()) ? Number(text.trim()) : null)
/** What a field of money holds; nothing when it is empty or no number. */
const sum = (text: string): number | null => minor(text) || (minor(text) === 0 ? 0 : null)

/** Answers that fit their questions, and those of them that are missing or do not. */
export function answersOf({ questions }: Policy, answers: GrantForm['answers']): { answers: Record<string, number | string>; wrong: string[] } {
  const fitting: Record<string, number | string> = {}
  for (const { key, kind, min, max, unit, options } of questions) {
    const text = answers[key] ?? ''
    const number = unit === 'money' ? sum(text) : whole(text)
    if (kind === 'choice' ? options.some((option) => option.key === text) : number !== null && number >= (min ?? 0) && number <= (max ?? Infinity))
      fitting[key] = kind === 'choice' ? text : number!
  }
  return { answers: fitting, wrong: questions.map(({ key }) => key).filter((key) => !(key in fitting)) }
}

export const amountFor = (policy: Policy, form: GrantForm, households: number): GrantAmount =>
  amountOf(policy, { group_size: households, ...answersOf(policy, form.answers).answers } as Inputs)

/** Null for a row that is not whole. */
export function itemOf({ what, quantity, unit }: ItemRow): { what: string; quantity: number; unit_minor: number } | null {
  const [count, price] = [whole(quantity), sum(unit)]
  return what.trim() && count && count <= 10_000 && price ? { what: what.trim(), quantity: count, unit_minor: price } : null
}
const blank = ({ what, unit }: ItemRow) => !what.trim() && !unit.trim()

/** What the rows come to so far. */
export const sumOf = (items: ItemRow[]): number =>
  items.reduce((total, { quantity, unit }) => total + (whole(quantity) ?? 0) * (sum(unit) ?? 0), 0)

export function planOf(form: GrantForm): BusinessPlan {
  return {
    description: form.description.trim(),
    projected_income_minor: sum(form.income) ?? 0,
    monthly_expenses_minor: sum(form.expenses) ?? 0,
    startup_minor: sum(form.startup) ?? 0,
    items: form.items.flatMap((row) => itemOf(row) ?? []),
  }
}

export interface Fault {
  step: Step
  /** The field's id. */
  field: string
  text: string
}
interface Facts {
  policy: Policy | null
  households: Id[]
  amount: GrantAmount | null
  /** Something that must have happened before has not. */
  missing: boolean
  /** They have a grant of this kind already. */
  has: boolean
  currency: string
}

/** What keeps the grant from being handed in, in the order of the steps. */
export function faults(form: GrantForm, { policy, households, amount, missing, has, currency }: Facts): Fault[] {
  const list: Fault[] = []
  const fault = (step: Step, field: string, text: string, there: boolean) => void (there && list.push({ step, field, text }))
  fault('policy', 'policy', m.grant_fault_policy(), !policy)
  fault('policy', 'policy', m.grant_has_title(), policy !== null && has)
  fault('policy', 'policy', m.grant_fault_needs(), policy !== null && missing)
  fault('plan', 'description', m.grant_fault_description(), form.description.trim().length < 10)
  for (const [field, text] of [['income', m.grant_fault_income()], ['expenses', m.grant_fault_expenses()], ['startup', m.grant_fault_startup()]] as const)
    fault('plan', field, text, sum(form[field]) === null)
  if (!policy || !amount) return list
  const plan = planOf(form)
  const counted = amount.amount_minor
  fault('plan', 'income', m.grant_fault_covers(), policy.covers_expenses && plan.projected_income_minor < plan.monthly_expenses_minor)
  const most = policy.startup_most === null ? null : Math.floor((counted * policy.startup_most) / 10_000)
  const wrong = answersOf(policy, form.answers).wrong
  fault('plan', 'startup', m.grant_fault_startup_most({ most: money(most ?? 0, currency) }), !wrong.length && most !== null && plan.startup_minor > most)
  for (const { key, label } of policy.questions)
    fault('amount', `answer-${key}`, `${said(label)}: ${m.grant_fault_answer()}`, wrong.includes(key))
  const rows = form.items.filter((row) => !blank(row))
  fault('items', 'items', m.grant_fault_items(), !rows.length || rows.some((row) => !itemOf(row)))
  fault('items', 'items', m.grant_fault_sum(), rows.length > 0 && rows.every((row) => itemOf(row)) && sumOf(form.items) !== counted)
  for (const home of households) {
    const signing = form.signings[home]
    fault('signatures', `sign-${home}`, m.grant_fault_signatures(), !signing?.ink || !signing.signer_name.trim())
    fault('signatures', `sign-${home}`, m.grant_fault_signed_other(), Boolean(signing?.ink) && signing!.amount_minor !== counted)
  }
  return list.filter((one, at) => list.findIndex(({ step, text }) => step === one.step && text === one.text) === at)
}
