// What the platform's administrators and people with several memberships ask of the server.
import { request } from './client'
import type { Id, Organisation } from './records'
import type { components } from './schema'

type Schemas = components['schemas']
export type Tenant = Schemas['Tenant']
export type NewOrganisation = Schemas['NewOrganisation']
export type ModeView = Schemas['ModeView']
export type OrganisationChange = Schemas['OrganisationChange']

export const organisations = (): Promise<Schemas['Tenants']> => request('/api/platform/organisations')

export const createOrganisation = (json: NewOrganisation): Promise<Schemas['NewTenant']> =>
  request('/api/platform/organisations', { json })

export const inviteAdmin = (id: Id, json: Schemas['NewAdmin']): Promise<{ invitation_url: string }> =>
  request(`/api/platform/organisations/${id}/admins`, { json })

export const setLimit = (id: Id, member_limit: number): Promise<unknown> =>
  request(`/api/platform/organisations/${id}/limit`, { method: 'PUT', json: { member_limit } })

export const mode = (): Promise<ModeView> => request('/api/platform/mode')

export const changeMode = (wanted: 'single' | 'multi'): Promise<ModeView> =>
  request('/api/platform/mode', { method: 'PUT', json: { mode: wanted } })

export const changeOrganisation = (json: OrganisationChange): Promise<Organisation> =>
  request('/api/organisation', { method: 'PUT', json })

export const chooseMain = (member: Id): Promise<unknown> => request('/api/me/main', { method: 'PUT', json: { member } })

export const handOver = (from: Id, json: Schemas['HandOver']): Promise<Schemas['HandedOver']> =>
  request(`/api/members/${from}/hand-over`, { json })
