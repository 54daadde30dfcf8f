// What a member's form says, as the server wants it: only what belongs to the role goes along.
import type { Id, Role } from '../api/records'

export interface WorkForm {
  role: string | null
  supervisor: string
  chosen: string[]
  custom: string
  household: string
}

export interface Work {
  role: Role
  supervisor: Id | null
  places: Id[]
  custom_role?: Id
  household?: Id
}

export const blankWork = (role: string): WorkForm => ({ role, supervisor: '', chosen: [], custom: '', household: '' })

export function workOf(form: WorkForm): Work {
  const role = (form.role ?? 'mentor') as Role
  return {
    role,
    supervisor: (role === 'mentor' || role === 'custom') && form.supervisor ? form.supervisor : null,
    places: ['mentor', 'supervisor', 'custom'].includes(role) ? [...form.chosen] : [],
    ...(role === 'custom' ? { custom_role: form.custom } : {}),
    ...(role === 'beneficiary' ? { household: form.household } : {}),
  }
}
