// The first screen of each role: where its work is.
import type { Role } from '../api/records'

const homes: Partial<Record<Role, string>> = {
  mentor: '/',
  supervisor: '/queue',
  evaluator: '/figures',
  programme_manager: '/figures',
  approver: '/figures',
  org_admin: '/admin',
  oversight: '/oversight',
  beneficiary: '/home',
}

/** An organisation's own role begins with the most it may do. */
const doors: [capability: string, path: string][] = [
  ['organisation.manage', '/admin'],
  ['visits.decide', '/queue'],
  ['visits.record', '/'],
  ['figures.read', '/figures'],
  ['households.read', '/households'],
  ['members.manage', '/admin/members'],
  ['places.read', '/admin/places'],
]

/** What a home needs, so that nobody lands where a module that is off has left nothing. */
const needs: Record<string, string> = {
  '/': 'visits.record',
  '/queue': 'visits.decide',
  '/figures': 'figures.read',
  '/home': 'home.read',
}

/** `many`: the installation has several organisations, which its administrators begin with. */
export function homeOf(role: Role | null, capabilities: readonly string[] = [], many = false): string {
  if (many && capabilities.includes('platform.manage')) return '/platform'
  const home = role ? homes[role] : '/'
  if (home && (!needs[home] || !capabilities.length || capabilities.includes(needs[home]))) return home
  return doors.find(([capability]) => capabilities.includes(capability))?.[1] ?? '/me'
}
