// Between what inputs hold (text) and what records hold (numbers, milliseconds, canonical phone numbers).
import { moment, wall } from './zone.svelte'

/** Milliseconds as a datetime-local input wants them, by the organisation's clock. */
export const localInput = (at: number): string => wall(at).toISOString().slice(0, 16)

/** What a datetime-local input holds, in milliseconds; NaN when it holds nothing. */
export const fromLocalInput = (text: string): number => moment(Date.parse(`${text}Z`))

/** "12,500" or "12 500.50" → 1250050; empty → null; anything else → NaN. */
export function minor(text: string): number | null {
  const plain = text.replace(/[\s,]/g, '')
  if (!plain) return null
  return /^\d{1,12}(\.\d{1,2})?$/.test(plain) ? Math.round(Number(plain) * 100) : NaN
}

/** 1250050 → "12500.50" */
export const fromMinor = (value: number | null) =>
  value === null ? '' : value % 100 ? (value / 100).toFixed(2) : String(value / 100)

/** "0712 345 678" or "+254 712…" → "+254712345678"; null when it is no Kenyan mobile number. */
export function phoneNumber(text: string): string | null {
  const found = /^(?:\+?254|0)?([17]\d{8})$/.exec(text.replace(/[\s\-()]/g, ''))
  return found ? `+254${found[1]}` : null
}
