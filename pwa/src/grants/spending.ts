// What the report on the use of a grant holds while it is written, and what is still missing.
import type { Grant, SpentItem } from '../api/grants'
import type { Id } from '../api/records'
import { newId } from '../ids'
import { m } from '../paraglide/messages.js'
import { fromMinor, minor } from '../shell/inputs'

export interface SpentRow {
  key: string
  what: string
  amount: string
  on: string
}
export interface SpendingForm {
  grant: Id
  items: SpentRow[]
  note: string
}

export const emptyRow = (on = ''): SpentRow => ({ key: newId(), what: '', amount: '', on })

export function formOf(grant: Grant): SpendingForm {
  const { items, note, state } = grant.utilisation ?? { items: [], note: '', state: 'due' }
  const rows = state === 'returned' ? items.map(({ what, amount_minor, on }) => ({ key: newId(), what, amount: fromMinor(amount_minor), on })) : []
  return { grant: grant.id, items: rows.length ? rows : [emptyRow()], note: state === 'returned' ? note : '' }
}

export function itemOf({ what, amount, on }: SpentRow): SpentItem | null {
  const spent = minor(amount)
  return what.trim() && spent && /^\d{4}-\d\d-\d\d$/.test(on) ? { what: what.trim(), amount_minor: spent, on } : null
}

const blank = ({ what, amount }: SpentRow) => !what.trim() && !amount.trim()
export const filled = (rows: SpentRow[]): SpentRow[] => rows.filter((row) => !blank(row))
export const spentOf = (rows: SpentRow[]): number => rows.reduce((sum, { amount }) => sum + (minor(amount) || 0), 0)

/** What was acknowledged and still counts. */
export const receivedOf = ({ tranches }: Grant): number =>
  tranches.reduce((sum, { state, amount_minor }) => sum + (state === 'acknowledged' ? amount_minor : 0), 0)

/** By the field that each is about. */
export function faultsOf(form: SpendingForm, photos: number, today: string): Record<string, string> {
  const rows = filled(form.items)
  const faults: Record<string, string> = {}
  for (const row of rows) {
    if (!itemOf(row)) faults[`spent-${row.key}`] = m.grant_use_fault_row()
    else if (row.on > today) faults[`spent-${row.key}`] = m.grant_use_fault_future()
  }
  if (!rows.length) faults[`spent-${form.items[0]?.key ?? ''}`] = m.grant_use_fault_none()
  if (!photos) faults.receipts = m.grant_use_fault_photo()
  return faults
}
