// The first screen of each role.
import type { Role } from '../api/records'

export const homeOf = (role: Role | null): string =>
  role === 'supervisor' ? '/queue' : role === 'org_admin' ? '/admin' : '/'
