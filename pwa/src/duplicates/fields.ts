// What two records say of the same household: the fields that differ, and how a value reads.
import type { Household, HouseholdMember } from '../api/records'
import { fieldLabel } from '../households/fields'
import { m } from '../paraglide/messages.js'
import { session } from '../session.svelte'
import { day, money } from '../shell/dates'
import { same } from '../sync/reducers'
import { relationLabel, sexLabel, yesNo } from '../words'

/** Fields that are chosen together stand in one line. */
const LINES: (keyof Household)[][] = [
  ['head_name'],
  ['head_sex'],
  ['head_birth_date'],
  ['national_id'],
  ['phone'],
  ['members'],
  ['monthly_income_minor'],
  ['electricity'],
  ['clean_water'],
  ['disability'],
  ['lat', 'lon', 'accuracy_m'],
  ['notes'],
]

export interface Line {
  fields: string[]
  label: string
  values: [string, string]
}

/** Lines in which the two differ. */
export const differing = (one: Household, other: Household): Line[] =>
  LINES.filter((fields) => fields.some((field) => !same(one[field], other[field]))).map((fields) => ({
    fields,
    label: fieldLabel(fields[0]!),
    values: [shown(fields[0]!, one), shown(fields[0]!, other)],
  }))

function shown(field: keyof Household, home: Household): string {
  const value = home[field]
  if (field === 'lat') return home.lat === null ? m.conflict_nothing() : `${home.lat.toFixed(5)}, ${home.lon?.toFixed(5)}`
  if (value === null || value === undefined || value === '') return m.conflict_nothing()
  if (typeof value === 'boolean') return yesNo(value)
  if (field === 'monthly_income_minor') return money(Number(value), session.organisation?.currency)
  if (field === 'head_sex') return sexLabel(String(value))
  if (field === 'head_birth_date') return day(Date.parse(String(value)))
  if (Array.isArray(value))
    return (
      (value as HouseholdMember[]).map(({ name, relationship }) => `${name} (${relationLabel(relationship)})`).join('\n') ||
      m.conflict_nothing()
    )
  return String(value)
}
