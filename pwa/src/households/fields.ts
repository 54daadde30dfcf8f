// The names of a household's fields as people read them, for conflicts and for errors.
import { m } from '../paraglide/messages.js'

const names: Record<string, () => string> = {
  place: m.field_village,
  head_name: m.field_head_name,
  head_sex: m.field_sex,
  head_birth_date: m.field_birth_date,
  national_id: m.field_national_id,
  phone: m.field_phone,
  members: m.field_members,
  monthly_income_minor: m.field_income,
  electricity: m.field_electricity,
  clean_water: m.field_water,
  disability: m.field_disability,
  notes: m.field_notes,
  lat: m.field_place,
  lon: m.field_place,
}
export const fieldLabel = (field: string) => names[field]?.() ?? field
export const isField = (field: string) => field in names
