// What stands in the way of saving a policy, in words, each by the id of its field.
import { m } from '../../paraglide/messages.js'
import { minor } from '../../shell/inputs'
import { type FactorForm, GROUP_SIZE, type PolicyForm, type QuestionForm, tenThousandths, whole } from './form'

export type Faults = Record<string, string>

/** `taken`: keys of the programme's other policies. */
export function faultsOf(form: PolicyForm, taken: readonly string[]): Faults {
  const found: Faults = {}
  const wrong = (field: string, text: string) => (found[field] ??= text)
  if (!/^[A-Za-z0-9-]{2,20}$/.test(form.key.trim())) wrong('key', m.policy_fault_key())
  else if (taken.some((key) => key.toLowerCase() === form.key.trim().toLowerCase())) wrong('key', m.policy_fault_key_taken())
  names(form, '', wrong)
  const base = minor(form.base)
  if (!base) wrong('base', m.policy_fault_base())
  const step = minor(form.step)
  if (!step) wrong('step', m.policy_fault_step())
  const [least, most] = [minor(form.least), minor(form.most)]
  if (Number.isNaN(least)) wrong('least', m.policy_fault_money())
  if (Number.isNaN(most)) wrong('most', m.policy_fault_money())
  if (least !== null && most !== null && least > most) wrong('most', m.policy_fault_most())
  for (const question of form.questions) asked(question, form, wrong)
  for (const factor of form.factors) counted(factor, form, wrong)
  if (form.startup_most.trim() && !tenThousandths(form.startup_most)) wrong('startup_most', m.policy_fault_times())
  const { needs } = form
  if (needs.grant && needs.grant === form.key.trim()) wrong('needs.grant', m.policy_fault_needs_itself())
  if (needs.grant && !within(needs.days_since, 0, 3_650, true)) wrong('needs.days_since', m.policy_fault_days())
  if (!within(needs.rating_least, 0, 100, true)) wrong('needs.rating_least', m.policy_fault_score())
  parts(form, wrong)
  if (!within(form.utilisation_days, 1, 3_650)) wrong('utilisation_days', m.policy_fault_days())
  if (!within(form.expires_days, 1, 3_650)) wrong('expires_days', m.policy_fault_days())
  if (Number.isNaN(minor(form.manager_limit))) wrong('manager_limit', m.policy_fault_money())
  if (!within(form.score_least, 0, 100)) wrong('score_least', m.policy_fault_score())
  return found
}

type Wrong = (field: string, text: string) => void
const at = (id: string, field: string) => (id ? `${id}.${field}` : field)

function names(one: { en: string; sw: string }, id: string, wrong: Wrong): void {
  if (!one.en.trim()) wrong(at(id, 'en'), m.policy_fault_name())
  if (!one.sw.trim()) wrong(at(id, 'sw'), m.policy_fault_name())
}

const alike = (a: string, b: string) => a.trim() !== '' && a.trim().toLowerCase() === b.trim().toLowerCase()

function asked(question: QuestionForm, form: PolicyForm, wrong: Wrong): void {
  // A question may be called as a field is.
  const id = `question.${question.id}`
  names(question, id, wrong)
  if (form.questions.some((other) => other.id !== question.id && alike(other.en, question.en))) wrong(at(id, 'en'), m.policy_fault_twice())
  if (question.kind === 'whole') {
    const [min, max] = [whole(question.min), whole(question.max)]
    if (Number.isNaN(min)) wrong(at(id, 'min'), m.policy_fault_whole())
    if (Number.isNaN(max)) wrong(at(id, 'max'), m.policy_fault_whole())
    if (min !== null && max !== null && min > max) wrong(at(id, 'max'), m.policy_fault_max())
    return
  }
  if (!question.options.length) wrong(at(id, 'en'), m.policy_fault_options())
  for (const option of question.options) {
    names(option, at(id, option.id), wrong)
    if (question.options.some((other) => other.id !== option.id && alike(other.en, option.en)))
      wrong(at(at(id, option.id), 'en'), m.policy_fault_twice())
  }
}

function counted(factor: FactorForm, form: PolicyForm, wrong: Wrong): void {
  const id = `factor.${factor.id}`
  names(factor, id, wrong)
  if (form.factors.some((other) => other.id !== factor.id && alike(other.en, factor.en))) wrong(at(id, 'en'), m.policy_fault_twice())
  const question = form.questions.find((one) => one.id === factor.input)
  if (factor.input !== GROUP_SIZE && !question) wrong(at(id, 'input'), m.policy_fault_input())
  if (tenThousandths(factor.otherwise) === null) wrong(at(id, 'otherwise'), m.policy_fault_times())
  for (const band of factor.bands) {
    const field = (name: string) => at(at(id, band.id), name)
    if (tenThousandths(band.by) === null) wrong(field('by'), m.policy_fault_times())
    if (question?.kind === 'choice') {
      const there = band.one_of.filter((one) => question.options.some((option) => option.id === one))
      if (!there.length) wrong(field('one_of'), m.policy_fault_one_of())
      continue
    }
    // What a band must say is known once its input is.
    if (!question && factor.input !== GROUP_SIZE) continue
    const [from, below] = [whole(band.at_least), whole(band.below)]
    if (Number.isNaN(from)) wrong(field('at_least'), m.policy_fault_whole())
    if (Number.isNaN(below)) wrong(field('below'), m.policy_fault_whole())
    if (from === null && below === null) wrong(field('at_least'), m.policy_fault_band())
    if (from !== null && below !== null && from >= below) wrong(field('below'), m.policy_fault_below())
  }
}

/** Together the whole grant, each part something. */
function parts(form: PolicyForm, wrong: Wrong): void {
  for (const { id, share } of form.tranches) if (!within(share, 1, 100)) wrong(id, m.policy_fault_part())
  const sum = form.tranches.reduce((total, { share }) => total + (whole(share) ?? 0), 0)
  if (sum !== 100 && !Number.isNaN(sum)) wrong(form.tranches.at(-1)?.id ?? 'tranches', m.policy_fault_parts({ sum }))
}

function within(text: string, least: number, most: number, optional = false): boolean {
  const value = whole(text)
  return value === null ? optional : value >= least && value <= most
}
