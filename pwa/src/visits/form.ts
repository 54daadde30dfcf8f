// What the visit form holds while it is filled in, what is still missing, and the record that comes of it.
import type { Evidence, Language, Visit, VisitFields } from '../api/records'
import { m } from '../paraglide/messages.js'
import { fromMinor, minor } from '../shell/inputs'
import type { Signing } from '../signature/signing'

export const steps = ['details', 'photos', 'place', 'signature', 'review'] as const
export type Step = (typeof steps)[number]
export const stepLabel: Record<Step, () => string> = {
  details: m.step_details,
  photos: m.step_photos,
  place: m.step_place,
  signature: m.step_signature,
  review: m.step_review,
}

export interface VisitForm extends Signing {
  fields: VisitFields
  income: string
  /** Chip of the reason without a position; `other` takes the text beside it. */
  reason: string | null
  reason_text: string
  step: Step
}

const known = ['no_fix', 'refused', 'unavailable']

/** A form for a new visit, or for one that was planned, begun or returned. */
export function formOf(visit: Visit | null, now: number, signer: string, language: Language): VisitForm {
  const {
    kind = 'scheduled',
    planned_at = null,
    started_at = null,
    topics = [],
    observations = '',
    recommendations = '',
    action_items = '',
    business_status = null,
    income_minor = null,
    support_needed = '',
    lat = null,
    lon = null,
    accuracy_m = null,
    no_gps_reason = null,
  } = visit ?? {}
  const told = no_gps_reason !== null && !known.includes(no_gps_reason)
  return {
    fields: {
      kind,
      planned_at,
      started_at: started_at ?? now,
      ended_at: null,
      topics: [...topics],
      observations,
      recommendations,
      action_items,
      business_status,
      income_minor,
      support_needed,
      lat,
      lon,
      accuracy_m,
      no_gps_reason,
    },
    income: fromMinor(income_minor),
    reason: told ? 'other' : no_gps_reason,
    reason_text: told ? no_gps_reason : '',
    signer_name: signer,
    signer_role: 'beneficiary',
    language,
    ink: null,
    step: 'details',
  }
}

export function fieldsOf(form: VisitForm, now: number): VisitFields {
  const placed = form.fields.lat !== null
  return {
    ...form.fields,
    income_minor: minor(form.income),
    ended_at: form.fields.ended_at ?? Math.max(now, form.fields.started_at ?? now),
    no_gps_reason: placed ? null : form.reason === 'other' ? form.reason_text.trim().slice(0, 200) : form.reason,
  }
}

export interface Fault {
  step: Step
  text: string
}

/** What keeps the visit from being saved, in the order of the steps. `slots` are those that have a picture. */
export function faults(form: VisitForm, required: string[], slots: string[], signed: boolean): Fault[] {
  const list: Fault[] = []
  if (!form.fields.topics.length) list.push({ step: 'details', text: m.fault_topics() })
  if (Number.isNaN(minor(form.income))) list.push({ step: 'details', text: m.fault_income() })
  if (required.includes('front') && !slots.includes('front')) list.push({ step: 'photos', text: m.fault_front() })
  if (required.includes('back') && !slots.includes('back')) list.push({ step: 'photos', text: m.fault_back() })
  if (form.fields.lat === null && !(form.reason === 'other' ? form.reason_text.trim() : form.reason))
    list.push({ step: 'place', text: m.fault_place() })
  if (required.includes('signature') && !form.ink && !signed)
    list.push({ step: 'signature', text: m.fault_signature() })
  return list
}

/** Pictures of earlier rounds that still count. */
export const usable = (evidence: Evidence[]) =>
  evidence.filter((one) => one.state !== 'quarantined' && one.superseded_by === null)

/** Photos that the server set aside and nobody has taken again. */
export const refused = (evidence: Evidence[]) =>
  evidence.filter((one) => one.state === 'quarantined' && one.superseded_by === null)
