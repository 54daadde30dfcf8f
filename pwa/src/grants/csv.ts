// Reads a table from a bank or a mobile-money service as text: whatever separates its columns, quoted or not.

/** Rows of cells; empty rows are left out. */
export function readCsv(text: string): string[][] {
  const plain = text.replace(/^\uFEFF/, '')
  const separator = separatorOf(plain)
  const rows: string[][] = []
  let row: string[] = []
  let cell = ''
  let quoted = false
  const endCell = () => {
    row.push(cell.trim())
    cell = ''
  }
  const endRow = () => {
    endCell()
    if (row.some(Boolean)) rows.push(row)
    row = []
  }
  for (let at = 0; at < plain.length; at++) {
    const char = plain[at]!
    if (quoted) {
      if (char !== '"') cell += char
      else if (plain[at + 1] === '"') cell += plain[++at]
      else quoted = false
    } else if (char === '"' && !cell.trim()) {
      cell = ''
      quoted = true
    } else if (char === separator) endCell()
    else if (char === '\n') endRow()
    else if (char !== '\r') cell += char
  }
  endRow()
  return rows
}

/** The one that the first line has most of. */
function separatorOf(text: string): string {
  const first = text.slice(0, text.indexOf('\n') < 0 ? undefined : text.indexOf('\n'))
  const count = (char: string) => first.split(char).length
  return [',', ';', '\t', '|'].reduce((best, char) => (count(char) > count(best) ? char : best))
}

/** "KES 15,000.00", "15.000,00" or "15000" → 1500000; null when it is no amount. */
export function readAmount(text: string): number | null {
  const plain = text.replace(/[A-Za-z\s']/g, '')
  const found = /^(\d{1,3}(?:[.,]\d{3})+|\d{1,12})(?:[.,](\d{1,2}))?$/.exec(plain)
  if (!found) return null
  return Number(found[1]!.replace(/[.,]/g, '')) * 100 + Number((found[2] ?? '').padEnd(2, '0'))
}

/** "2026-11-29", "29/11/2026", "29.11.2026 10:40" → "2026-11-29"; null when it is no day. */
export function readDay(text: string): string | null {
  const found = /^(?:(\d{4})-(\d\d?)-(\d\d?)|(\d\d?)[./-](\d\d?)[./-](\d{4}))(?:[ T].*)?$/.exec(text.trim())
  if (!found) return null
  const [year, month, day] = found[1] ? [found[1], found[2]!, found[3]!] : [found[6]!, found[5]!, found[4]!]
  const iso = `${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`
  const date = new Date(`${iso}T00:00:00Z`)
  return Number.isNaN(date.getTime()) || date.toISOString().slice(0, 10) !== iso ? null : iso
}
