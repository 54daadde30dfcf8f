// Each role begins where its work is, and nobody at a door that is shut.
import { expect, test } from 'vitest'
import type { Role } from '../src/api/records'
import { homeOf } from '../src/shell/home'

test.each([
  ['mentor', ['visits.record'], '/'],
  ['supervisor', ['visits.decide'], '/queue'],
  ['evaluator', ['figures.read'], '/figures'],
  ['programme_manager', ['figures.read'], '/figures'],
  ['approver', ['figures.read'], '/figures'],
  ['org_admin', ['organisation.manage'], '/admin'],
  ['oversight', ['figures.across'], '/oversight'],
  ['beneficiary', ['home.read'], '/home'],
  ['custom', ['households.read', 'figures.read'], '/figures'],
  ['custom', ['members.manage'], '/admin/members'],
  ['custom', [], '/me'],
  // The module is off.
  ['mentor', ['households.read'], '/households'],
] as [Role, string[], string][])('%s with %j begins at %s', (role, capabilities, path) => {
  expect(homeOf(role, capabilities)).toBe(path)
})

test('the platform’s administrators begin with the organisations, where there are several', () => {
  expect(homeOf('org_admin', ['organisation.manage', 'platform.manage'], true)).toBe('/platform')
  expect(homeOf('org_admin', ['organisation.manage', 'platform.manage'], false)).toBe('/admin')
})
