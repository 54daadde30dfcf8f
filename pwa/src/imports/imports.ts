// What administrators do with files of households and places: send, map, look, decide, add, undo.
import { keep } from '../api/guard'
import { request, send } from '../api/client'
import type { components } from '../api/schema'

type Schemas = components['schemas']
export type Import = Schemas['Import']
export type Kind = Schemas['ImportKind']
export type Column = Schemas['ImportColumn']
export type Fault = Schemas['ImportFault']
export type Duplicate = Schemas['ImportDuplicate']

const at = (id: string, step = '') => `/api/imports/${id}${step}`

export const imports = async (): Promise<Import[]> => (await request<Schemas['Page_Import']>('/api/imports')).items
export const getImport = (id: string): Promise<Import> => request(at(id))
export const sendFile = (kind: Kind, file: File): Promise<Import> =>
  request(`/api/imports?${new URLSearchParams({ kind, name: file.name.slice(-200) })}`, {
    method: 'POST',
    body: file,
    headers: { 'Content-Type': 'application/octet-stream' },
    timeout: 600_000,
  })
export const check = (id: string, fields: string[], create_places: boolean): Promise<Import> =>
  request(at(id, '/check'), { json: { fields, create_places } })
export const decide = (id: string, row: number, take: boolean): Promise<Import> =>
  request(at(id, '/decisions'), { method: 'PUT', json: { rows: [{ row, take }] } })
export const commit = (id: string): Promise<Import> => request(at(id, '/commit'), { method: 'POST' })
export const undo = (id: string): Promise<Import> => request(at(id, '/undo'), { method: 'POST' })
export const discard = (id: string): Promise<void> => request(at(id), { method: 'DELETE' })
export const duplicates = async (id: string): Promise<Duplicate[]> =>
  (await request<Schemas['Page_ImportDuplicate']>(at(id, '/duplicates'))).items

type Faults = Schemas['Page_ImportFault']
export const someFaults = async (id: string): Promise<Fault[]> => (await request<Faults>(at(id, '/faults'))).items

export async function allFaults(id: string): Promise<Fault[]> {
  const all: Fault[] = []
  for (let after: string | null | undefined = '0'; after; ) {
    const page: Faults = await request<Faults>(at(id, `/faults?after=${after}`))
    all.push(...page.items)
    after = page.next
  }
  return all
}

export async function template(kind: Kind): Promise<void> {
  const answer = await send(`/api/imports/template?kind=${kind}`)
  keep(await answer.blob(), `kilele-${kind}.csv`)
}

/** A job works on it: look again in a moment. */
export const running = ({ state }: Import): boolean => ['checking', 'committing', 'undoing'].includes(state)

/** Fields by kind, in the order in which they are offered. */
export const FIELDS: Record<Kind, readonly string[]> = {
  households: [
    'head_name', 'first_name', 'middle_name', 'last_name', 'head_sex', 'head_birth_date', 'national_id', 'phone', 'place_code',
    'county', 'sub_county', 'village', 'lat', 'lon', 'monthly_income', 'electricity', 'clean_water', 'disability', 'notes',
    'reference', 'relationship',
  ],
  places: ['code', 'parent_code', 'name', 'lat', 'lon'],
}

/** What keeps a mapping from being used: a field that two columns mean, or fields that are missing. */
export function mappingFault(kind: Kind, fields: readonly string[]): { twice: string } | 'incomplete' | null {
  const used = fields.filter(Boolean)
  const twice = used.find((field, i) => used.indexOf(field) !== i)
  if (twice) return { twice }
  const has = (field: string) => used.includes(field)
  const complete =
    kind === 'places'
      ? has('code') && has('name')
      : (has('head_name') || has('first_name')) && (has('place_code') || has('village'))
  return complete ? null : 'incomplete'
}

/** A table that spreadsheets open; what begins like a formula is none. */
export function csv(rows: (string | number)[][]): string {
  const cell = (value: string | number) => {
    const text = typeof value === 'string' && /^[=+\-@\t\r]/.test(value) ? `'${value}` : String(value)
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  return `\uFEFF${rows.map((row) => row.map(cell).join(',')).join('\r\n')}\r\n`
}
