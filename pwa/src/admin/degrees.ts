// Degrees as people type them.

/** Null when empty, NaN when it is no number of degrees. */
export function degrees(text: string, most: number): number | null {
  const plain = text.trim().replace(',', '.')
  if (!plain) return null
  return /^[+-]?\d{1,3}(\.\d+)?$/.test(plain) && Math.abs(Number(plain)) <= most ? Number(plain) : NaN
}
