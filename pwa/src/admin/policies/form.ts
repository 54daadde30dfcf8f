// What the editor of a policy holds while it is typed (money, per cent and ×1.20 as text), and the facts that it stands for.
import type { Factor, Health, PolicyFacts, PolicyQuestion } from '../../api/grants'
import { newId } from '../../ids'
import { fromMinor, minor } from '../../shell/inputs'

/** The input that every policy has without asking. */
export const GROUP_SIZE = 'group_size'

interface Named {
  /** Of this form alone: what factors and bands point to while a new key is not made yet. */
  id: string
  /** None of a new one: it is made from the English words when it is saved, and stays. */
  key: string | null
  en: string
  sw: string
}
export type OptionForm = Named
export interface QuestionForm extends Named {
  kind: PolicyQuestion['kind']
  min: string
  max: string
  unit: string
  options: OptionForm[]
}
export interface BandForm {
  id: string
  at_least: string
  below: string
  /** Options, by their `id`. */
  one_of: string[]
  by: string
}
export interface FactorForm extends Named {
  /** `group_size` or a question's `id`. */
  input: string
  bands: BandForm[]
  otherwise: string
}
export interface PolicyForm {
  key: string
  en: string
  sw: string
  unit: PolicyFacts['unit']
  base: string
  step: string
  least: string
  most: string
  questions: QuestionForm[]
  factors: FactorForm[]
  covers_expenses: boolean
  startup_most: string
  needs: { grant: string; utilised: boolean; days_since: string; health: Health[]; milestones: string[]; rating_least: string }
  tranches: { id: string; share: string }[]
  utilisation_days: string
  expires_days: string
  manager_limit: string
  score_least: string
  active: boolean
}

/** 12000 → "1.20"; as many places as it needs, two at least. */
export function times(by: number): string {
  const text = (by / 10_000).toFixed(4)
  return text.replace(/0{1,2}$/, '')
}
/** "1.2" → 12000; null when it is nothing that an amount can be multiplied by. */
export function tenThousandths(text: string): number | null {
  const plain = text.trim().replace(',', '.')
  return /^\d{1,3}(\.\d{1,4})?$/.test(plain) ? Math.round(Number(plain) * 10_000) : null
}
/** "" → null; NaN when it is no whole number. */
export function whole(text: string): number | null {
  const plain = text.replace(/[\s,]/g, '')
  if (!plain) return null
  return /^-?\d{1,9}$/.test(plain) ? Number(plain) : NaN
}
const text = (value: number | null) => (value === null ? '' : String(value))

export const blankBand = (): BandForm => ({ id: newId(), at_least: '', below: '', one_of: [], by: '1.00' })
export const blankOption = (): OptionForm => ({ id: newId(), key: null, en: '', sw: '' })
export const blankFactor = (): FactorForm => ({
  id: newId(), key: null, en: '', sw: '', input: '', bands: [blankBand()], otherwise: '1.00',
})
export const blankQuestion = (): QuestionForm => ({
  id: newId(), key: null, en: '', sw: '', kind: 'choice', min: '', max: '', unit: '', options: [blankOption(), blankOption()],
})
export const blankPart = (share = '') => ({ id: newId(), share })

/** What an empty policy begins with. */
export const blank: Omit<PolicyFacts, 'programme'> = {
  key: '', name: { en: '', sw: '' }, unit: 'household', base_minor: 0, questions: [], factors: [], least_minor: null,
  most_minor: null, step_minor: 100, covers_expenses: true, startup_most: null,
  needs: { grant: null, utilised: false, days_since: null, health: [], milestones: [], rating_least: null },
  tranches: [100], utilisation_days: 60, expires_days: 90, manager_limit_minor: null, score_least: 60, active: true,
}

export function toForm(policy: Omit<PolicyFacts, 'programme'>): PolicyForm {
  const { needs } = policy
  return {
    key: policy.key,
    ...policy.name,
    unit: policy.unit,
    base: policy.base_minor ? fromMinor(policy.base_minor) : '',
    step: fromMinor(policy.step_minor),
    least: fromMinor(policy.least_minor),
    most: fromMinor(policy.most_minor),
    questions: policy.questions.map((one) => ({
      id: one.key,
      key: one.key,
      ...one.label,
      kind: one.kind,
      min: text(one.min),
      max: text(one.max),
      unit: one.unit ?? '',
      options: one.options.map(({ key, label }) => ({ id: key, key, ...label })),
    })),
    factors: policy.factors.map((one) => ({
      id: one.key,
      key: one.key,
      ...one.label,
      input: one.input,
      bands: one.bands.map((band) => ({
        id: newId(),
        at_least: text(band.at_least),
        below: text(band.below),
        one_of: [...band.one_of],
        by: times(band.by),
      })),
      otherwise: times(one.otherwise),
    })),
    covers_expenses: policy.covers_expenses,
    startup_most: policy.startup_most === null ? '' : times(policy.startup_most),
    needs: {
      grant: needs.grant ?? '',
      utilised: needs.utilised,
      days_since: text(needs.days_since),
      health: [...needs.health],
      milestones: needs.milestones.map(String),
      rating_least: text(needs.rating_least),
    },
    tranches: policy.tranches.map((share) => blankPart(String(share))),
    utilisation_days: String(policy.utilisation_days),
    expires_days: String(policy.expires_days),
    manager_limit: fromMinor(policy.manager_limit_minor),
    score_least: String(policy.score_least),
    active: policy.active,
  }
}

/** Keys of all by their `id`: those there were, and for new ones their English words, once each. */
function keysOf(list: Named[]): Map<string, string> {
  const taken = new Set([GROUP_SIZE, ...list.flatMap(({ key }) => key ?? [])])
  return new Map(
    list.map(({ id, key, en }) => {
      if (key) return [id, key]
      const words = en.normalize('NFD').toLowerCase().replace(/[^a-z0-9]+/g, '_').replace(/^_+|_+$/g, '').slice(0, 30) || 'key'
      let made = words
      for (let n = 2; taken.has(made); n++) made = `${words}_${n}`
      taken.add(made)
      return [id, made]
    }),
  )
}

/** What the form stands for; only of a form without faults is it a policy. */
export function toFacts(form: PolicyForm, programme: string): PolicyFacts {
  const keys = keysOf(form.questions)
  const label = ({ en, sw }: Named) => ({ en: en.trim(), sw: sw.trim() })
  const options = new Map(form.questions.map((one) => [one.id, keysOf(one.options)]))
  const questions = form.questions.map((one): PolicyQuestion => {
    const isWhole = one.kind === 'whole'
    return {
      key: keys.get(one.id)!,
      kind: one.kind,
      label: label(one),
      min: isWhole ? whole(one.min) : null,
      max: isWhole ? whole(one.max) : null,
      unit: isWhole ? ((one.unit || null) as PolicyQuestion['unit']) : null,
      options: isWhole ? [] : one.options.map((option) => ({ key: options.get(one.id)!.get(option.id)!, label: label(option) })),
    }
  })
  const own = keysOf(form.factors)
  const factors = form.factors.map((one): Factor => {
    const chosen = form.questions.find(({ id, kind }) => id === one.input && kind === 'choice')
    return {
      key: own.get(one.id)!,
      label: label(one),
      input: keys.get(one.input) ?? one.input,
      bands: one.bands.map((band) => ({
        at_least: chosen ? null : whole(band.at_least),
        below: chosen ? null : whole(band.below),
        one_of: chosen ? band.one_of.flatMap((id) => options.get(chosen.id)!.get(id) ?? []) : [],
        by: tenThousandths(band.by) ?? NaN,
      })),
      otherwise: tenThousandths(one.otherwise) ?? NaN,
    }
  })
  const { needs } = form
  return {
    programme,
    key: form.key.trim().toUpperCase(),
    name: { en: form.en.trim(), sw: form.sw.trim() },
    unit: form.unit,
    base_minor: minor(form.base) ?? NaN,
    questions,
    factors,
    least_minor: minor(form.least),
    most_minor: minor(form.most),
    step_minor: minor(form.step) ?? NaN,
    covers_expenses: form.covers_expenses,
    startup_most: form.startup_most.trim() ? tenThousandths(form.startup_most) : null,
    needs: {
      grant: needs.grant || null,
      // Without an earlier grant there is nothing whose use or day could be asked for.
      utilised: Boolean(needs.grant) && needs.utilised,
      days_since: needs.grant ? whole(needs.days_since) : null,
      health: [...needs.health],
      milestones: needs.milestones.map(Number),
      rating_least: whole(needs.rating_least),
    },
    tranches: form.tranches.map(({ share }) => whole(share) ?? NaN),
    utilisation_days: whole(form.utilisation_days) ?? NaN,
    expires_days: whole(form.expires_days) ?? NaN,
    manager_limit_minor: minor(form.manager_limit),
    score_least: whole(form.score_least) ?? NaN,
    active: form.active,
  }
}
