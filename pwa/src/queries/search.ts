// Finds households among ten thousand while someone types: an index in memory, built once and kept up to date.
import type { Household, Id, Place } from '../api/records'
import { database } from '../db/account'
import { hear, type Change } from '../db/changes'
import { plainText } from '../db/schema'
import { parseKey } from '../sync/touches'
import { every, one } from './records'

export type Matched = 'name' | 'member' | 'national_id' | 'phone' | 'place' | 'number' | null

export interface Indexed {
  household: Household
  place_name: string
  name: string
  members: string
  digits: string
  phone: string
  village: string
  number: string
}

export interface Found {
  entry: Indexed
  matched: Matched
}

/** Sorted by name, so that what is found keeps that order within each rank. */
export class SearchIndex {
  private entries: Indexed[] = []
  private villages = new Map<Id, string>()

  fill(households: Household[], places: Place[]): void {
    this.villages = new Map(places.map(({ id, name }) => [id, name]))
    this.entries = households.filter(stands).map((household) => this.index(household)).sort(byName)
  }

  change(changes: { id: Id; household: Household | null }[]): void {
    const ids = new Set(changes.map(({ id }) => id))
    this.entries = this.entries.filter(({ household }) => !ids.has(household.id))
    for (const { household } of changes) if (household && stands(household)) this.entries.push(this.index(household))
    this.entries.sort(byName)
  }

  /** Every word must be found; how the first one is found gives the rank. */
  find(text: string, place: Id | null): Found[] {
    const words = plainText(text).split(/\s+/).filter(Boolean)
    const ranks: Found[][] = [[], [], [], [], [], []]
    for (const entry of this.entries) {
      if (place && entry.household.place !== place) continue
      if (words.length === 0) {
        ranks[0]!.push({ entry, matched: null })
        continue
      }
      const first = hit(entry, words[0]!)
      if (!first || !words.slice(1).every((word) => hit(entry, word))) continue
      ranks[first.rank]!.push({ entry, matched: first.matched })
    }
    return ranks.flat()
  }

  private index(household: Household): Indexed {
    const place_name = this.villages.get(household.place) ?? ''
    return {
      household,
      place_name,
      name: ` ${plainText(household.head_name)}`,
      members: household.members.map(({ name }) => ` ${plainText(name)}`).join(''),
      digits: household.national_id ?? '',
      phone: household.phone?.replace(/\D/g, '') ?? '',
      village: ` ${plainText(place_name)}`,
      number: household.number?.toLowerCase() ?? '',
    }
  }
}

/** One that was merged into another is found there. */
const stands = ({ merged_into }: Household) => !merged_into

const byName = (a: Indexed, b: Indexed) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)

function hit(entry: Indexed, word: string): { rank: number; matched: Matched } | null {
  if (/^[+\d]/.test(word)) {
    const digits = word.replace(/\D/g, '')
    if (digits && entry.digits === digits) return { rank: 0, matched: 'national_id' }
    if (digits.length >= 3 && entry.digits.includes(digits)) return { rank: 1, matched: 'national_id' }
    // 0712… is written +254712… in the record.
    const local = digits.replace(/^0/, '')
    if (local.length >= 3 && entry.phone.includes(local)) return { rank: 2, matched: 'phone' }
  }
  if (entry.name.startsWith(` ${word}`)) return { rank: 0, matched: 'name' }
  if (entry.name.includes(` ${word}`)) return { rank: 1, matched: 'name' }
  if (word.length >= 2 && entry.name.includes(word)) return { rank: 2, matched: 'name' }
  if (entry.members.includes(` ${word}`)) return { rank: 3, matched: 'member' }
  if (entry.village.includes(` ${word}`)) return { rank: 4, matched: 'place' }
  if (word.length >= 2 && entry.number.includes(word)) return { rank: 5, matched: 'number' }
  return null
}

let built: { db: string; index: Promise<SearchIndex> } | null = null
let todo: Change[] = []
let catching: Promise<void> = Promise.resolve()
let listening = false

/** The index of the account that is open, with every change up to now. */
export async function searchIndex(): Promise<SearchIndex> {
  listen()
  const db = database().name
  if (built?.db !== db) {
    todo = []
    built = { db, index: build() }
  }
  const index = await built.index
  // One after another: whoever asks sees every change up to now.
  catching = catching.catch(() => undefined).then(() => catchUp(index))
  await catching
  return index
}

async function build(): Promise<SearchIndex> {
  const index = new SearchIndex()
  const [households, places] = await Promise.all([every('household'), every('place')])
  index.fill(households, places)
  return index
}

async function catchUp(index: SearchIndex): Promise<void> {
  if (todo.length === 0) return
  const changes = todo
  todo = []
  const all = changes.some(({ keys, tags }) => keys === null || tags.includes('records:place'))
  if (all) return index.fill(await every('household'), await every('place'))
  const ids = [...new Set(changes.flatMap(({ keys }) => keys!))].map(parseKey).filter(([kind]) => kind === 'household')
  index.change(await Promise.all(ids.map(async ([, id]) => ({ id, household: await one('household', id) }))))
}

function listen(): void {
  if (listening) return
  listening = true
  hear((message) => {
    // Locked, or another person: what was in memory goes.
    if (message.type === 'account' && message.id === null) built = null
    if (message.type !== 'change') return
    if (message.change.tags.some((tag) => tag === 'records' || tag === 'records:household' || tag === 'records:place')) {
      todo.push(message.change)
    }
  })
}
