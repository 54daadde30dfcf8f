// Whether somebody who is being registered may be there already: a look among the households of this phone.
import type { Household, Id } from '../api/records'
import { plainText } from '../db/schema'
import { toHits, standing, type Hit } from './households'

export type Confidence = 'high' | 'medium' | 'low'
export type Why = 'id' | 'part_of_id' | 'phone' | 'phone_in_village' | 'village'

export interface Typed {
  /** The household that is being changed. */
  own: Id | null
  name: string
  national_id: string
  /** Normalised, or empty. */
  phone: string
  place: Id
}

export interface Alike {
  hit: Hit
  confidence: Confidence
  why: Why
}

const CONFIDENCE: Record<Why, Confidence> = {
  id: 'high',
  part_of_id: 'medium',
  phone_in_village: 'high',
  phone: 'medium',
  village: 'low',
}
const ORDER: Why[] = ['id', 'phone_in_village', 'part_of_id', 'phone', 'village']
/** Fewer digits are in too many numbers. */
const PART = 4
const MOST = 5

/** The id, part of it, the phone, the village: the first that fits says how sure it is. */
export function why(typed: Typed, home: Household): Why | null {
  const digits = typed.national_id.replace(/\D/g, '')
  if (home.national_id && digits.length === 8 && home.national_id === digits) return 'id'
  if (home.national_id && digits.length >= PART && digits.length < 8 && home.national_id.includes(digits)) return 'part_of_id'
  const here = typed.place !== '' && home.place === typed.place
  if (typed.phone && home.phone === typed.phone) return here ? 'phone_in_village' : 'phone'
  return here && namesMeet(typed.name, home.head_name) ? 'village' : null
}

/** Every part that was typed begins a part of the other's name, in whatever order. */
function namesMeet(typed: string, name: string): boolean {
  const parts = (text: string) => plainText(text).split(/[^\p{L}\p{N}']+/u).filter(Boolean)
  const [mine, theirs] = [parts(typed), parts(name)]
  return mine.some((part) => part.length >= 3) && mine.every((part) => theirs.some((other) => other.startsWith(part)))
}

export async function alike(typed: Typed): Promise<Alike[]> {
  const found = (await standing()).flatMap((home) => {
    const reason = home.id === typed.own ? null : why(typed, home)
    return reason ? [{ home, why: reason }] : []
  })
  const best = found.sort((a, b) => ORDER.indexOf(a.why) - ORDER.indexOf(b.why)).slice(0, MOST)
  const hits = await toHits(best.map(({ home }) => home))
  return best.map(({ why: reason }, n) => ({ hit: hits[n]!, why: reason, confidence: CONFIDENCE[reason] }))
}
