// Between what inputs hold (text) and what records hold (numbers, milliseconds, canonical phone numbers).

const two = (n: number) => String(n).padStart(2, '0')

/** Milliseconds as a datetime-local input wants them, in this phone's time zone. */
export function localInput(at: number): string {
  const d = new Date(at)
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${two(d.getHours())}:${two(d.getMinutes())}`
}

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
