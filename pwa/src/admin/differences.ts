// What a change to a member changes, in words.
import type { Id, Person, Place } from '../api/records'
import { m } from '../paraglide/messages.js'
import { roleLabel } from '../words'

type Work = Pick<Person, 'role' | 'supervisor' | 'places' | 'active' | 'custom_role' | 'household'>
export interface Difference {
  label: string
  from: string
  to: string
}

/** What a change does in words; `roles` names the organisation's own roles. */
export function differences(
  before: Work,
  after: Work,
  people: Person[],
  places: Place[],
  roles: Map<Id, string> = new Map(),
): Difference[] {
  const named = (ids: Id[]) =>
    places
      .filter(({ id }) => ids.includes(id))
      .map(({ name }) => name)
      .join(', ') || '–'
  const person = (id: Id | null) => people.find((one) => one.id === id)?.name ?? '–'
  const access = (active: boolean) => (active ? m.yes() : m.no())
  const role = ({ role, custom_role }: Work) => (custom_role && roles.get(custom_role)) || roleLabel(role)
  const changed = [
    { label: m.member_role(), from: role(before), to: role(after) },
    { label: m.role_supervisor(), from: person(before.supervisor), to: person(after.supervisor) },
    { label: m.member_places(), from: named(before.places), to: named(after.places) },
    { label: m.member_access(), from: access(before.active), to: access(after.active) },
  ].filter(({ from, to }) => from !== to)
  // Which household it is stands on the form; here it is enough that it is another.
  if (before.household && after.household && before.household !== after.household)
    changed.push({ label: m.household_title(), from: m.member_household_before(), to: m.member_household_after() })
  return changed
}
