// What administrators and everybody do online about safety: the audit, sessions, second factors, keys.
import { request, send } from './client'
import type { components, operations } from './schema'

type Schemas = components['schemas']
export type AuditEvent = Schemas['AuditEvent']
export type AuditFilters = NonNullable<operations['listAudit']['parameters']['query']>

const asked = (filters: object): string => {
  const pairs = Object.entries(filters).filter(([, value]) => value !== undefined)
  return pairs.length ? `?${new URLSearchParams(pairs.map(([key, value]) => [key, String(value)]))}` : ''
}

export const listAudit = (filters: AuditFilters): Promise<Schemas['Page_AuditEvent']> =>
  request(`/api/audit${asked(filters)}`)

/** How the installation's backups stand. */
export const backups = (): Promise<Schemas['Backups']> => request('/api/backups')

/** Writes the events to a file of this device. */
export async function exportAudit(filters: AuditFilters): Promise<void> {
  const answer = await send(`/api/audit.csv${asked(filters)}`, { timeout: 300_000 })
  keep(await answer.blob(), 'kilele-audit.csv')
}

export function keep(file: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
}

export type Security = Schemas['Security']
export type OpenSession = Schemas['OpenSession']

export const mySecurity = (): Promise<Security> => request('/api/me/security')
export const sessions = (member?: string): Promise<Schemas['Page_OpenSession']> => request(`/api/sessions/open${asked({ member })}`)
export const endSession = (id: string): Promise<void> => request(`/api/sessions/open/${id}`, { method: 'DELETE' })
export const changePassword = (current: string, password: string): Promise<void> =>
  request('/api/me/password', { method: 'PUT', json: { current, password } })
export const beginSecondStep = (password: string): Promise<Schemas['SecondStepOffer']> =>
  request('/api/me/second-step', { json: { password } })
export const confirmSecondStep = (code: string): Promise<Schemas['RecoveryCodes']> =>
  request('/api/me/second-step/confirm', { json: { code } })
export const newRecoveryCodes = (password: string): Promise<Schemas['RecoveryCodes']> =>
  request('/api/me/second-step/codes', { json: { password } })
export const removeSecondStep = (password: string): Promise<void> =>
  request('/api/me/second-step/remove', { json: { password } })

/** The link that leads a member back in; their password and sessions end now. */
export const resetMember = (id: string, second_step: boolean): Promise<{ invitation_url: string }> =>
  request(`/api/members/${id}/reset`, { json: { second_step } })

type Rules = Schemas['SignInRules']
export const signInRules = async (): Promise<string[]> => (await request<Rules>('/api/organisation/sign-in')).second_step_roles
export const setSignInRules = async (second_step_roles: string[]): Promise<string[]> =>
  (await request<Rules>('/api/organisation/sign-in', { method: 'PUT', json: { second_step_roles } })).second_step_roles

export type ApiKey = Schemas['ApiKey']
export const apiKeys = async (): Promise<ApiKey[]> => (await request<Schemas['Page_ApiKey']>('/api/keys')).items
export const createApiKey = (key: Schemas['NewApiKey']): Promise<Schemas['MadeApiKey']> => request('/api/keys', { json: key })
export const revokeApiKey = (id: string): Promise<void> => request(`/api/keys/${id}`, { method: 'DELETE' })

export type Erasure = Schemas['Erasure']
export type RetentionRule = Schemas['RetentionRule']
type Retention = Schemas['Retention']

/** Writes all that is kept of a household to a file of this device. */
export async function exportHousehold(id: string): Promise<void> {
  const answer = await send(`/api/households/${id}/export`, { timeout: 120_000 })
  keep(await answer.blob(), `household-${id}.json`)
}
export const eraseHousehold = (id: string, reason: string): Promise<Erasure> =>
  request(`/api/households/${id}/erase`, { json: { reason } })
/** Writes all that is kept of a member to a file of this device. */
export async function exportMember(id: string): Promise<void> {
  const answer = await send(`/api/members/${id}/export`, { timeout: 120_000 })
  keep(await answer.blob(), `member-${id}.json`)
}
export const eraseMember = (id: string, reason: string): Promise<Erasure> =>
  request(`/api/members/${id}/erase`, { json: { reason } })
export const erasures = async (): Promise<Erasure[]> => (await request<Schemas['Page_Erasure']>('/api/erasures')).items
export const retention = async (): Promise<RetentionRule[]> => (await request<Retention>('/api/organisation/retention')).rules
export const setRetention = async (rules: RetentionRule[]): Promise<RetentionRule[]> =>
  (await request<Retention>('/api/organisation/retention', { method: 'PUT', json: { rules } })).rules
