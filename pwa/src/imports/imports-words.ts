// The catalogue's words for fields, faults, states and refusals of imports; here, so that no phone's start carries them.
import { m } from '../paraglide/messages.js'
import { problemText } from '../problems'
import type { Fault, Import } from './imports'

const fields: Record<string, () => string> = {
  reference: m.ifield_reference,
  relationship: m.ifield_relationship,
  head_name: m.ifield_head_name,
  first_name: m.ifield_first_name,
  middle_name: m.ifield_middle_name,
  last_name: m.ifield_last_name,
  head_sex: m.ifield_head_sex,
  head_birth_date: m.ifield_head_birth_date,
  national_id: m.ifield_national_id,
  phone: m.ifield_phone,
  place_code: m.ifield_place_code,
  county: m.ifield_county,
  sub_county: m.ifield_sub_county,
  village: m.ifield_village,
  lat: m.ifield_lat,
  lon: m.ifield_lon,
  monthly_income: m.ifield_monthly_income,
  electricity: m.ifield_electricity,
  clean_water: m.ifield_clean_water,
  disability: m.ifield_disability,
  notes: m.ifield_notes,
  code: m.ifield_code,
  parent_code: m.ifield_parent_code,
  name: m.ifield_name,
}
export const fieldLabel = (field: string): string => fields[field]?.() ?? field

const faults: Record<string, (at: { row: number }) => string> = {
  missing: () => m.ifault_missing(),
  too_long: () => m.ifault_too_long(),
  bad_text: () => m.ifault_bad_text(),
  bad_date: () => m.ifault_bad_date(),
  bad_sex: () => m.ifault_bad_sex(),
  bad_id: () => m.ifault_bad_id(),
  bad_phone: () => m.ifault_bad_phone(),
  bad_number: () => m.ifault_bad_number(),
  bad_coordinates: () => m.ifault_bad_coordinates(),
  bad_yes_no: () => m.ifault_bad_yes_no(),
  bad_relationship: () => m.ifault_bad_relationship(),
  place_unknown: () => m.ifault_place_unknown(),
  place_ambiguous: () => m.ifault_place_ambiguous(),
  place_not_village: () => m.ifault_place_not_village(),
  id_twice: m.ifault_id_twice,
  reference_twice: m.ifault_reference_twice,
  reference_there: () => m.ifault_reference_there(),
  no_head: () => m.ifault_no_head(),
  two_heads: m.ifault_two_heads,
  too_many_members: () => m.ifault_too_many_members(),
  code_twice: m.ifault_code_twice,
  code_taken: () => m.ifault_code_taken(),
  parent_unknown: () => m.ifault_parent_unknown(),
  too_deep: () => m.ifault_too_deep(),
  too_many_cells: () => m.ifault_too_many_cells(),
}
/** What is wrong with a row, in the person's language; the server's own words for what this version does not know. */
export const faultWords = (fault: Fault): string => faults[fault.code]?.({ row: fault.other_row ?? 0 }) ?? fault.message

const states: Record<Import['state'], () => string> = {
  uploaded: m.imports_state_uploaded,
  checking: m.imports_state_checking,
  checked: m.imports_state_checked,
  committing: m.imports_state_committing,
  done: m.imports_state_done,
  undoing: m.imports_state_undoing,
  undone: m.imports_state_undone,
  failed: m.imports_state_failed,
}
export const stateLabel = (state: Import['state']): string => states[state]()

const problems: Record<string, () => string> = {
  import_stale: m.imports_stale,
  import_touched: m.imports_touched,
  import_running: m.imports_running,
  import_nothing: m.imports_nothing,
  import_faults: m.imports_faults_text,
  too_many_imports: m.imports_too_many,
  crashed: m.imports_crashed,
  too_large: m.imports_too_large,
  too_many_rows: m.imports_too_many_rows,
  too_many_columns: m.imports_too_many_columns,
  file_unreadable: m.imports_unreadable,
  file_old_excel: m.imports_old_excel,
  file_bomb: m.imports_bomb,
}
export const importProblem = (problem: { code?: string; message?: string }): string =>
  problems[problem.code ?? '']?.() ?? problemText(problem)

const touched: Record<string, () => string> = {
  changed: m.imports_why_changed,
  visits: m.imports_why_visits,
  pictures: m.imports_why_pictures,
  conflicts: m.imports_why_conflicts,
  people: m.imports_why_people,
  places: m.imports_why_places,
  households: m.imports_why_households,
}
export const touchedWords = (why: string): string => touched[why]?.() ?? why
