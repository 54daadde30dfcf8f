// What views ask about people, places and the organisation's texts.
import type { Id, Language, Organisation, Person, Place, Statement } from '../api/records'
import { readMeta } from '../db/account'
import { every, one } from './records'

export async function people(): Promise<Person[]> {
  return (await every('person')).sort((a, b) => a.name.localeCompare(b.name))
}

export const person = (id: Id): Promise<Person | null> => one('person', id)

/** Active mentors: a supervisor's own team, everybody's for an administrator. */
export async function mentors(): Promise<Person[]> {
  const me = (await readMeta('session'))?.member
  const all = (await people()).filter(({ role, active }) => role === 'mentor' && active)
  return me?.role === 'supervisor' ? all.filter(({ supervisor }) => supervisor === me.id) : all
}

/** Each place followed by those within it, by name. */
export async function places(): Promise<Place[]> {
  const all = (await every('place')).sort((a, b) => a.name.localeCompare(b.name))
  const known = new Set(all.map(({ id }) => id))
  const within = new Map<Id | null, Place[]>()
  for (const place of all) {
    const parent = place.parent && known.has(place.parent) ? place.parent : null
    const siblings = within.get(parent)
    if (siblings) siblings.push(place)
    else within.set(parent, [place])
  }
  const ordered: Place[] = []
  const walk = (parent: Id | null) => {
    for (const place of within.get(parent) ?? []) {
      ordered.push(place)
      walk(place.id)
    }
  }
  walk(null)
  return ordered
}

export const place = (id: Id): Promise<Place | null> => one('place', id)

/** "Village, Sub-county". */
export async function placePath(id: Id): Promise<string> {
  const names: string[] = []
  let at: Id | null = id
  while (at && names.length < 2) {
    const found: Place | null = await one('place', at)
    if (!found) break
    names.push(found.name)
    at = found.parent
  }
  return names.join(', ')
}

/** Where the member may register households: villages at or under their own places. */
export async function villages(): Promise<Place[]> {
  const me = (await readMeta('session'))?.member
  const all = await places()
  const villagesOnly = all.filter(({ level }) => level === 2)
  // Roles that see the whole organisation have no places of their own.
  const limited = me && (me.role === 'mentor' || me.role === 'supervisor' || me.places.length > 0)
  if (!limited) return villagesOnly
  const parents = new Map(all.map(({ id, parent }) => [id, parent]))
  const own = new Set(me.places)
  return villagesOnly.filter(({ id }) => {
    for (let at: Id | null = id, steps = 0; at && steps < 10; at = parents.get(at) ?? null, steps++) {
      if (own.has(at)) return true
    }
    return false
  })
}

export async function organisation(): Promise<Organisation | null> {
  return (await every('organisation'))[0] ?? (await readMeta('session'))?.organisation ?? null
}

/** The newest version in the language, or in English when there is none. */
export async function statement(key: string, language: Language): Promise<Statement | null> {
  const all = (await every('statement')).filter((found) => found.key === key).sort((a, b) => b.version - a.version)
  return all.find((found) => found.language === language) ?? all.find((found) => found.language === 'en') ?? null
}
