// Places from a file: reads what spreadsheets write, finds every fault with its line, and puts parents first.

export interface Line {
  /** In the file, from 1; the header is line 1. */
  line: number
  code: string
  parent_code: string
  name: string
  lat: string
  lon: string
  fault: Fault | null
}
export type Fault = 'name' | 'code' | 'twice' | 'there' | 'parent' | 'level' | 'coordinates'

export const COLUMNS = ['code', 'parent_code', 'name', 'lat', 'lon'] as const
export const TEMPLATE = `${COLUMNS.join(',')}
KITUI,,Kitui County,,
KITUI-C,KITUI,Kitui Central,,
MIAMBANI,KITUI-C,Miambani,-1.30112,38.10224
`

/** Null when empty, NaN when it is no number of degrees. */
export function degrees(text: string, most: number): number | null {
  const plain = text.trim().replace(',', '.')
  if (!plain) return null
  return /^[+-]?\d{1,3}(\.\d+)?$/.test(plain) && Math.abs(Number(plain)) <= most ? Number(plain) : NaN
}

/** Comma or semicolon, quotes, any line ending, a byte order mark. */
export function cells(text: string): { line: number; cells: string[] }[] {
  const plain = text.replace(/^\uFEFF/, '')
  const head = plain.slice(0, plain.search(/[\r\n]|$/))
  const split = head.split(';').length > head.split(',').length ? ';' : ','
  const rows: { line: number; cells: string[] }[] = []
  let row: string[] = [],
    cell = '',
    quoted = false,
    line = 1,
    began = 1
  const end = () => {
    row.push(cell.trim())
    if (row.some(Boolean)) rows.push({ line: began, cells: row })
    row = []
    cell = ''
  }
  for (let i = 0; i < plain.length; i++) {
    const c = plain[i]!
    if (c === '\n') line++
    if (quoted) {
      if (c !== '"') cell += c
      else if (plain[i + 1] === '"') {
        cell += c
        i++
      } else quoted = false
    } else if (c === '"' && !cell.trim()) {
      quoted = true
      cell = ''
    } else if (c === split) {
      row.push(cell.trim())
      cell = ''
    } else if (c === '\n') {
      end()
      began = line
    } else if (c !== '\r') cell += c
  }
  end()
  return rows
}

/** The rows of a file, each with its fault; `missing` are columns that the header lacks. */
export function read(text: string, known: { code: string; level: number }[]): { lines: Line[]; missing: string[] } {
  const [head, ...rows] = cells(text)
  const names = (head?.cells ?? []).map((name) => name.toLowerCase().replace(/[\s-]+/g, '_'))
  const missing = ['code', 'name'].filter((name) => !names.includes(name))
  if (missing.length) return { lines: [], missing }
  const lines = rows.map(({ line, cells: row }): Line => {
    const value = (name: string) => row[names.indexOf(name)] ?? ''
    return {
      line,
      code: value('code').toUpperCase(),
      parent_code: value('parent_code').toUpperCase(),
      name: value('name'),
      lat: value('lat'),
      lon: value('lon'),
      fault: null,
    }
  })
  return { lines: judge(lines, known), missing }
}

function judge(lines: Line[], known: { code: string; level: number }[]): Line[] {
  const there = new Map(known.map(({ code, level }) => [code, level]))
  const inFile = new Map(lines.map((one) => [one.code, one]))
  const seen = new Set<string>()
  const level = (one: Line, steps = 0): number => {
    if (!one.parent_code) return 0
    const above = there.get(one.parent_code)
    if (above !== undefined) return above + 1
    const parent = inFile.get(one.parent_code)
    return parent && steps < 5 ? level(parent, steps + 1) + 1 : 9
  }
  const fault = (one: Line): Fault | null => {
    const [lat, lon] = [degrees(one.lat, 90), degrees(one.lon, 180)]
    if (!one.code) return 'code'
    if (!one.name) return 'name'
    if (seen.has(one.code)) return 'twice'
    seen.add(one.code)
    if (there.has(one.code)) return 'there'
    if (one.parent_code && !there.has(one.parent_code) && !inFile.has(one.parent_code)) return 'parent'
    if (level(one) > 2) return 'level'
    return Number.isNaN(lat) || Number.isNaN(lon) || (lat === null) !== (lon === null) ? 'coordinates' : null
  }
  return lines.map((one) => ({ ...one, fault: fault(one) }))
}

/** As the server reads it: its columns, parents before what lies below them. `order[i]` is the file's line of row i. */
export function write(lines: Line[]): { csv: string; order: number[] } {
  const left = new Set(lines)
  const codes = new Set(lines.map(({ code }) => code))
  const done = new Set<string>()
  const sorted: Line[] = []
  while (left.size) {
    const ready = [...left].filter((one) => !codes.has(one.parent_code) || done.has(one.parent_code))
    if (!ready.length) break
    for (const one of ready) {
      sorted.push(one)
      left.delete(one)
      done.add(one.code)
    }
  }
  const quote = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
  const number = (text: string) => text.trim().replace(',', '.')
  const rows = sorted.map((one) =>
    [one.code, one.parent_code, one.name, number(one.lat), number(one.lon)].map(quote).join(','),
  )
  return { csv: [COLUMNS.join(','), ...rows].join('\n') + '\n', order: sorted.map(({ line }) => line) }
}
