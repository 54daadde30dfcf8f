// What the form of an acknowledgement holds while money is handed over, and what is still missing.
import type { Grant } from '../api/grants'
import type { Household, Id, Language } from '../api/records'
import { m } from '../paraglide/messages.js'
import type { Signing } from '../signature/signing'

export interface ReceivedForm extends Signing {
  grant: Id
  tranche: Id
  /** What was handed over: the part as this phone knew it. */
  amount_minor: number
  recipient: Id | null
  position: { lat: number; lon: number; accuracy_m: number } | null
  reason: string | null
  note: string
}

export const formOf = (grant: Grant, tranche: Id, amount_minor: number, first: Household | null, language: Language): ReceivedForm => ({
  grant: grant.id,
  tranche,
  amount_minor,
  recipient: first?.id ?? null,
  position: null,
  reason: null,
  note: '',
  signer_name: first?.head_name ?? '',
  signer_role: 'beneficiary',
  language,
  ink: null,
})

/** By the part of the form that each is about. */
export function faultsOf(form: ReceivedForm, photo: boolean): Record<string, string> {
  const faults: Record<string, string> = {}
  if (!photo) faults.photo = m.fault_front()
  if (!form.position && !form.reason) faults.place = m.fault_place()
  if (!form.ink || !form.signer_name.trim()) faults.sign = m.fault_signature()
  return faults
}
