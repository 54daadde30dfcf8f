// Finds for each row of a payment file the part of a grant that it pays, by number and amount; and writes what is to be paid.
import type { Grant, Method, Tranche } from '../api/grants'
import type { Day, Id } from '../api/records'
import { readAmount, readDay } from './csv'
import { releaseBarrier } from './moves'

export const FIELDS = ['grant', 'amount', 'reference', 'date', 'method'] as const
export type Field = (typeof FIELDS)[number]
/** Which column holds what; a field without a column is null. */
export type Columns = Record<Field, number | null>

const NAMES: Record<Field, RegExp> = {
  grant: /grant|ruzuku|part|sehemu|narration|details|account.?ref/i,
  amount: /amount|kiasi|paid|credit|debit|value|withdrawn/i,
  reference: /reference|receipt|transaction|rejea|kumbukumbu|cheque|utr/i,
  date: /date|tarehe|time|completed/i,
  method: /method|channel|njia|type/i,
}

/** By the names of the columns; each column is taken once. */
export function guess(header: string[]): Columns {
  const taken = new Set<number>()
  const find = (field: Field) => {
    const at = header.findIndex((name, i) => !taken.has(i) && NAMES[field].test(name))
    if (at < 0) return null
    taken.add(at)
    return at
  }
  const [grant, amount] = [find('grant'), find('amount')]
  const [reference, date] = [find('reference'), find('date')]
  return { grant, amount, reference, date, method: find('method') }
}

export type Found = 'matched' | 'not_found' | 'other_amount' | 'already_released' | 'twice' | 'unreadable' | 'not_yours'
export interface Matched {
  /** In the file, counted from 1; the header is the first. */
  row: number
  found: Found
  grant: Grant | null
  part: Tranche | null
  /** As the file says it. */
  said: { grant: string; amount: string }
  amount_minor: number | null
  reference: string
  released_on: Day | null
  method: Method
}
export interface Otherwise {
  method: Method
  released_on: Day
}

/** The reference of one part: what the export writes and the file brings back. */
export const partReference = (grant: Grant, part: Tranche): string => `${grant.number ?? grant.id}/${part.number}`

export function matchRows(rows: string[][], columns: Columns, grants: Grant[], me: Id, otherwise: Otherwise, today: Day): Matched[] {
  const taken = new Set<Id>()
  const references = new Set<string>()
  return rows.slice(1).map((cells, at) => {
    const cell = (field: Field) => (columns[field] === null ? '' : (cells[columns[field]] ?? ''))
    const one: Matched = {
      row: at + 2,
      found: 'matched',
      grant: null,
      part: null,
      said: { grant: cell('grant'), amount: cell('amount') },
      amount_minor: readAmount(cell('amount')),
      reference: cell('reference').slice(0, 120),
      released_on: columns.date === null ? otherwise.released_on : readDay(cell('date')),
      method: methodOf(cell('method')) ?? otherwise.method,
    }
    return { ...one, ...judge(one, grants, me, today, taken, references) }
  })
}

function judge(one: Matched, grants: Grant[], me: Id, today: Day, taken: Set<Id>, references: Set<string>): Partial<Matched> {
  const { grant, number } = named(one.said.grant, grants)
  if (!grant) return { found: 'not_found' }
  const parts = grant.tranches.filter((part) => number === null || part.number === number)
  const usual = one.reference.toLowerCase()
  const fits = (part: Tranche) => part.amount_minor === one.amount_minor
  const open = parts.filter(({ state }) => state === 'scheduled')
  // Two rows of one payment are one payment; two parts of the same amount are two.
  const part = open.find((each) => fits(each) && !taken.has(each.id)) ?? open.find(fits) ?? open[0] ?? parts.at(-1) ?? null
  const found = ((): Found => {
    if (one.amount_minor === null || !usual || !one.released_on || one.released_on > today) return 'unreadable'
    if (!part) return 'not_found'
    if (part.state === 'released' || part.state === 'acknowledged' || part.state === 'disputed') return 'already_released'
    if (part.state !== 'scheduled' || !['approved', 'disbursing'].includes(grant.state)) return 'not_found'
    if (!fits(part)) return 'other_amount'
    if (taken.has(part.id) || references.has(usual)) return 'twice'
    return releaseBarrier(grant, me) ? 'not_yours' : 'matched'
  })()
  if (found === 'matched') {
    taken.add(part!.id)
    references.add(usual)
  }
  return { found, grant, part }
}

/** "GRT-2026-00012", "…/2", or either within a sentence. */
function named(text: string, grants: Grant[]): { grant: Grant | null; number: number | null } {
  const plain = text.toLowerCase()
  const holds = (key: string) => new RegExp(`(^|[^a-z0-9])${key.toLowerCase().replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}(?![a-z0-9])`).exec(plain)
  for (const grant of grants) {
    const key = [grant.number, grant.id].find((one) => one && holds(one))
    if (!key) continue
    const after = plain.slice(holds(key)!.index + holds(key)![0].length)
    const number = /^\s*[/#]\s*(\d{1,2})(?!\d)/.exec(after)?.[1]
    return { grant, number: number ? Number(number) : null }
  }
  return { grant: null, number: null }
}

const WORDS: [Method, RegExp][] = [
  ['mobile_money', /m-?pesa|mobile|airtel|tigo|simu/i],
  ['cheque', /cheque|check|hundi/i],
  ['cash', /cash|taslimu/i],
  ['bank', /bank|benki|eft|rtgs|transfer/i],
]
const methodOf = (text: string): Method | null => WORDS.find(([, word]) => word.test(text))?.[0] ?? null

/** Parts that wait to be paid, and whom they go to. */
export const payable = (grants: Grant[]): { grant: Grant; part: Tranche }[] =>
  grants
    .filter(({ state }) => state === 'approved' || state === 'disbursing')
    .flatMap((grant) => grant.tranches.filter(({ state }) => state === 'scheduled').map((part) => ({ grant, part })))
