// What the household form holds while it is typed, what is wrong with it, and the record that comes of it.
import type { Household, HouseholdFields, HouseholdMember, Id } from '../api/records'
import type { ConsentForm } from '../consents/consent'
import { m } from '../paraglide/messages.js'
import { fromMinor, minor, phoneNumber } from '../shell/inputs'

export interface MemberForm {
  id: Id
  name: string
  sex: string | null
  birth_date: string
  relationship: string
  participant: boolean
}
export interface HouseholdForm {
  fields: { head_name: string }
  place: string
  sex: string | null
  birth_date: string
  national_id: string
  phone: string
  members: MemberForm[]
  position: { lat: number; lon: number; accuracy_m: number } | null
  income: string
  electricity: string | null
  clean_water: string | null
  disability: string | null
  notes: string
  /** A draft of an earlier version has none. */
  consent?: ConsentForm
}

export const emptyForm = (place = ''): HouseholdForm => ({
  fields: { head_name: '' },
  place,
  sex: null,
  birth_date: '',
  national_id: '',
  phone: '',
  members: [],
  position: null,
  income: '',
  electricity: null,
  clean_water: null,
  disability: null,
  notes: '',
})

const fromFlag = (value: boolean | null) => (value === null ? null : value ? 'yes' : 'no')
const toFlag = (value: string | null) => (value === null ? null : value === 'yes')

export const formOf = (home: Household): HouseholdForm => ({
  fields: { head_name: home.head_name },
  place: home.place,
  sex: home.head_sex,
  birth_date: home.head_birth_date ?? '',
  national_id: home.national_id ?? '',
  phone: home.phone ?? '',
  members: home.members.map((member) => ({ ...member, birth_date: member.birth_date ?? '' })),
  position:
    home.lat !== null && home.lon !== null ? { lat: home.lat, lon: home.lon, accuracy_m: home.accuracy_m ?? 0 } : null,
  income: fromMinor(home.monthly_income_minor),
  electricity: fromFlag(home.electricity),
  clean_water: fromFlag(home.clean_water),
  disability: fromFlag(home.disability),
  notes: home.notes ?? '',
})

export const fieldsOf = (form: HouseholdForm): HouseholdFields => ({
  place: form.place,
  head_name: form.fields.head_name.trim(),
  head_sex: form.sex as HouseholdFields['head_sex'],
  head_birth_date: form.birth_date || null,
  national_id: form.national_id.trim() || null,
  phone: form.phone.trim() ? phoneNumber(form.phone) : null,
  members: form.members
    .filter((member) => member.name.trim())
    .map(
      (member) => ({ ...member, name: member.name.trim(), birth_date: member.birth_date || null }) as HouseholdMember,
    ),
  lat: form.position?.lat ?? null,
  lon: form.position?.lon ?? null,
  accuracy_m: form.position?.accuracy_m ?? null,
  monthly_income_minor: minor(form.income),
  electricity: toFlag(form.electricity),
  clean_water: toFlag(form.clean_water),
  disability: toFlag(form.disability),
  notes: form.notes.trim() || null,
})

/** Field → what to say about it; empty when the form can be saved. */
export function faults(form: HouseholdForm): Record<string, string> {
  const wrong: Record<string, string> = {}
  const today = new Date().toISOString().slice(0, 10)
  if (form.fields.head_name.trim().length < 2) wrong.head_name = m.fault_name()
  if (!form.place) wrong.place = m.fault_village()
  if (form.birth_date && (form.birth_date > today || form.birth_date < '1900')) wrong.birth_date = m.fault_birth_date()
  if (form.national_id.trim() && !/^\d{8}$/.test(form.national_id.trim())) wrong.national_id = m.fault_national_id()
  if (form.phone.trim() && !phoneNumber(form.phone)) wrong.phone = m.fault_phone()
  if (Number.isNaN(minor(form.income))) wrong.income = m.fault_income()
  return wrong
}
