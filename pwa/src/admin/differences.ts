// What a change to a member changes, in words.
import type { Id, Person, Place } from '../api/records'
import { m } from '../paraglide/messages.js'
import { roleLabel } from '../words'

type Work = Pick<Person, 'role' | 'supervisor' | 'places' | 'active'>
export interface Difference {
  label: string
  from: string
  to: string
}

export function differences(before: Work, after: Work, people: Person[], places: Place[]): Difference[] {
  const named = (ids: Id[]) =>
    places
      .filter(({ id }) => ids.includes(id))
      .map(({ name }) => name)
      .join(', ') || '–'
  const person = (id: Id | null) => people.find((one) => one.id === id)?.name ?? '–'
  const access = (active: boolean) => (active ? m.yes() : m.no())
  return [
    { label: m.member_role(), from: roleLabel(before.role), to: roleLabel(after.role) },
    { label: m.role_supervisor(), from: person(before.supervisor), to: person(after.supervisor) },
    { label: m.member_places(), from: named(before.places), to: named(after.places) },
    { label: m.member_access(), from: access(before.active), to: access(after.active) },
  ].filter(({ from, to }) => from !== to)
}
