// What stands in the way of saving a policy, in words, each by the id of its field.
import { m } from '../../paraglide/messages.js'
import { minor } from '../../shell/inputs'
import { type FactorForm, GROUP_SIZE, type PolicyForm, type QuestionForm, tenThousandths, whole } from './form'

export type Faults = Record<string, string>

/** Minor units; more is a slip. */
const LARGEST = 100_000_000_000

/** `taken`: keys of the programme's other policies. */
export function faultsOf(form: PolicyForm, taken: readonly string[]): Faults {
  const found: Faults = {}
  const wrong = (field: string, text: string) => (found[field] ??= text)
  if (!/^[A-Za-z0-9]{2,10}$/.test(form.key.trim())) wrong('key', m.policy_fault_key())
  else if (taken.some((key) => key.toLowerCase() === form.key.trim().toLowerCase())) wrong('key', m.policy_fault_key_taken())
  names(form, '', wrong)
  const base = minor(form.base)
  if (!base) wrong('base', m.policy_fault_base())
  const step = minor(form.step)
  if (!step || step > 1_000_000) wrong('step', m.policy_fault_step())
  const [least, most] = [minor(form.least), minor(form.most)]
  for (const [field, amount] of Object.entries({ base, least, most, manager_limit: minor(form.manager_limit) }))
    if (Number.isNaN(amount) || (amount ?? 0) > LARGEST) wrong(field, m.policy_fault_money())
  if (least !== null && most !== null && least > most) wrong('most', m.policy_fault_most())
  for (const question of form.questions) asked(question, form, wrong)
  for (const one of form.factors) counted(one, form, wrong)
  if (form.startup_most.trim() && !factor(form.startup_most, 100)) wrong('startup_most', m.policy_fault_times())
  if (form.questions.length > 20) wrong(`question.${form.questions[20]!.id}.en`, m.policy_fault_many({ most: 20 }))
  if (form.factors.length > 10) wrong(`factor.${form.factors[10]!.id}.en`, m.policy_fault_many({ most: 10 }))
  const { needs } = form
  if (needs.grant && needs.grant === form.key.trim().toUpperCase()) wrong('needs.grant', m.policy_fault_needs_itself())
  if (needs.grant && !within(needs.days_since, 0, 3_650, true)) wrong('needs.days_since', m.policy_fault_days())
  if (!within(needs.rating_least, 0, 100, true)) wrong('needs.rating_least', m.policy_fault_score())
  parts(form, wrong)
  if (!within(form.utilisation_days, 1, 730)) wrong('utilisation_days', m.policy_fault_days())
  if (!within(form.expires_days, 1, 730)) wrong('expires_days', m.policy_fault_days())
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
  if (question.options.length < 2 || question.options.length > 30) wrong(at(id, 'en'), m.policy_fault_options())
  for (const option of question.options) {
    names(option, at(id, option.id), wrong)
    if (question.options.some((other) => other.id !== option.id && alike(other.en, option.en)))
      wrong(at(at(id, option.id), 'en'), m.policy_fault_twice())
  }
}

/** More than nothing, and at most so many times. */
const factor = (text: string, most: number) => within(String(tenThousandths(text) ?? ''), 1, most * 10_000)

function counted(one: FactorForm, form: PolicyForm, wrong: Wrong): void {
  const id = `factor.${one.id}`
  names(one, id, wrong)
  if (form.factors.some((other) => other.id !== one.id && alike(other.en, one.en))) wrong(at(id, 'en'), m.policy_fault_twice())
  const question = form.questions.find(({ id }) => id === one.input)
  if (one.input !== GROUP_SIZE && !question) wrong(at(id, 'input'), m.policy_fault_input())
  if (!factor(one.otherwise, 10)) wrong(at(id, 'otherwise'), m.policy_fault_times())
  if (!one.bands.length || one.bands.length > 20) wrong(at(id, 'input'), m.policy_fault_bands())
  for (const band of one.bands) {
    const field = (name: string) => at(at(id, band.id), name)
    if (!factor(band.by, 10)) wrong(field('by'), m.policy_fault_times())
    if (question?.kind === 'choice') {
      const there = band.one_of.filter((chosen) => question.options.some((option) => option.id === chosen))
      if (!there.length) wrong(field('one_of'), m.policy_fault_one_of())
      continue
    }
    // What a band must say is known once its input is.
    if (!question && one.input !== GROUP_SIZE) continue
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
