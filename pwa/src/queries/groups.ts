// What views ask about business groups: all of them, one with its people and surveys, and who could form a new one.
import type { Group, Survey } from '../api/grants'
import type { Evidence, Household, Id, Person, Place, Programme } from '../api/records'
import { about, every, inState, one } from './records'
import { placePath } from './people'

/** The active group of a household, in one programme or in any. */
export async function groupOf(household: Id, programme?: Id): Promise<Group | null> {
  const active = await inState('group', 'active')
  return active.find((group) => (!programme || group.programme === programme) && group.members.some((one) => one.household === household)) ?? null
}

/** All that a household is or was in, active ones first. */
export async function groupsOf(household: Id): Promise<Group[]> {
  return (await every('group')).filter(({ members }) => members.some((one) => one.household === household)).sort(byState)
}

const byState = (a: Group, b: Group) =>
  Number(a.state === 'dissolved') - Number(b.state === 'dissolved') || a.name.localeCompare(b.name)

export interface GroupItem {
  group: Group
  place_name: string
  homes: Household[]
  mentor: string
  /** When it was last surveyed. */
  surveyed_at: number | null
}

/** Active ones first, by name. */
export async function groups(): Promise<GroupItem[]> {
  const [all, people, places, surveys] = await Promise.all([every('group'), every('person'), every('place'), every('survey')])
  const names = new Map<Id, string>([...people, ...places].map(({ id, name }) => [id, name]))
  const last = new Map<Id, number>()
  for (const { group, surveyed_at } of surveys) last.set(group, Math.max(last.get(group) ?? 0, surveyed_at))
  return Promise.all(
    all.sort(byState).map(async (group) => ({
      group,
      place_name: names.get(group.place) ?? '',
      homes: (await Promise.all(group.members.map(({ household }) => one('household', household)))).filter((home) => home !== null),
      mentor: names.get(group.mentor) ?? '',
      surveyed_at: last.get(group.id) ?? null,
    })),
  )
}

export interface GroupView {
  group: Group
  programme: Programme | null
  place: string
  homes: Map<Id, Household | null>
  /** Latest first. */
  surveys: { survey: Survey; evidence: Evidence[] }[]
  names: Map<Id, string>
}

export async function group(id: Id): Promise<GroupView | null> {
  const found = await one('group', id)
  if (!found) return null
  const [programme, place, surveys] = await Promise.all([
    one('programme', found.programme),
    placePath(found.place),
    about('survey', id),
  ])
  surveys.sort((a, b) => b.surveyed_at - a.surveyed_at)
  const who = new Set([found.mentor, found.health_by, ...surveys.map(({ surveyed_by }) => surveyed_by)])
  const people = await Promise.all([...who].map((person) => one('person', person)))
  const homes = await Promise.all(found.members.map(async ({ household }) => [household, await one('household', household)] as const))
  return {
    group: found,
    programme,
    place,
    homes: new Map(homes),
    surveys: await Promise.all(
      surveys.map(async (survey) => ({
        survey,
        evidence: (await about('evidence', survey.id)).filter(({ superseded_by }) => !superseded_by),
      })),
    ),
    names: new Map(people.flatMap((person: Person | null) => (person ? [[person.id, person.name] as const] : []))),
  }
}

export interface Candidates {
  programmes: Programme[]
  /** Villages with somebody to choose, by programme. */
  places: { programme: Id; place: Place; count: number }[]
  /** Who takes part and is in no other active group of the programme. */
  free: { programme: Id; household: Household }[]
  /** How many of each programme and village are in a group already: `programme place`. */
  grouped: Map<string, number>
}

/** Who could be in a group; members of `except` count as free. */
export async function candidates(except: Id | null): Promise<Candidates> {
  const [enrolments, active, programmes, places] = await Promise.all([
    inState('enrolment', 'active'),
    inState('group', 'active'),
    every('programme'),
    every('place'),
  ])
  const taken = new Set(
    active.filter(({ id }) => id !== except).flatMap(({ programme, members }) => members.map(({ household }) => `${programme} ${household}`)),
  )
  const grouped = new Map<string, number>()
  const free: Candidates['free'] = []
  for (const { programme, household, place } of enrolments) {
    if (taken.has(`${programme} ${household}`)) {
      const key = `${programme} ${place}`
      grouped.set(key, (grouped.get(key) ?? 0) + 1)
      continue
    }
    const home = await one('household', household)
    if (home) free.push({ programme, household: home })
  }
  free.sort((a, b) => a.household.head_name.localeCompare(b.household.head_name))
  const used = new Map<string, number>()
  for (const { programme, household } of free) used.set(`${programme} ${household.place}`, (used.get(`${programme} ${household.place}`) ?? 0) + 1)
  return {
    programmes: programmes.filter(({ id }) => free.some(({ programme }) => programme === id)).sort((a, b) => a.name.localeCompare(b.name)),
    places: [...used]
      .flatMap(([key, count]) => {
        const [programme, id] = key.split(' ') as [Id, Id]
        const place = places.find((one) => one.id === id)
        return place ? [{ programme, place, count }] : []
      })
      .sort((a, b) => a.place.name.localeCompare(b.place.name)),
    free,
    grouped,
  }
}
