// What the group form holds while it is filled in, what is still missing, and the command that comes of it.
import type { Group, GroupMember, GroupRole, GroupType } from '../api/grants'
import type { Id } from '../api/records'
import { m } from '../paraglide/messages.js'

export const LEAST = 2
export const MOST = 3

export interface GroupForm {
  /** The group that is changed; none when it is formed. */
  of: Id | null
  programme: Id
  place: Id
  name: string
  type: GroupType | null
  members: GroupMember[]
  formed_on: string
}

export const blank = (formed_on: string): GroupForm => ({ of: null, programme: '', place: '', name: '', type: null, members: [], formed_on })

export const formOf = ({ id, programme, place, name, type, members, formed_on }: Group): GroupForm => ({
  of: id, programme, place, name, type, members: members.map((member) => ({ ...member })), formed_on,
})

/** Chosen or not any more. The first is the leader until somebody says otherwise, the second the treasurer, the third the secretary. */
export function toggle(members: GroupMember[], household: Id): GroupMember[] {
  if (members.some((one) => one.household === household)) return members.filter((one) => one.household !== household)
  if (members.length >= MOST) return members
  const free = (['leader', 'treasurer', 'secretary'] as const).find((role) => !members.some((one) => one.role === role))
  return [...members, { household, role: free ?? 'member' }]
}

/** There is one of each office: whoever had it becomes a member. */
export const appoint = (members: GroupMember[], household: Id, role: GroupRole): GroupMember[] =>
  members.map((one) => {
    if (one.household === household) return { ...one, role }
    return role !== 'member' && one.role === role ? { ...one, role: 'member' as const } : one
  })

/** By the id of the field. `today`: nobody forms a group tomorrow. */
export function faults(form: GroupForm, today: string): Record<string, string> {
  const found: Record<string, string> = {}
  if (!form.programme) found.programme = m.groups_fault_programme()
  if (form.members.length < LEAST || form.members.length > MOST) found.members = m.groups_fault_members()
  else if (!form.members.some(({ role }) => role === 'leader')) found.members = m.groups_fault_leader()
  if (form.name.trim().length < 2) found.name = m.groups_fault_name()
  if (!form.type) found.type = m.groups_fault_type()
  if (!form.of && (!form.formed_on || form.formed_on > today)) found.formed_on = m.groups_fault_formed()
  return found
}
