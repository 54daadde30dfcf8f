// What administrators do online: members, places, and proof of a signature.
import { request } from './client'
import type { Id, Language, Person, Place, Role } from './records'

export interface Invited {
  member: Person
  invitation_url: string
}

/** A person as the administration sees them. */
export type MemberRow = Person & { login?: string; invited?: boolean }

export async function members(): Promise<MemberRow[]> {
  const answer = await request<MemberRow[] | { items: MemberRow[] }>('/api/members')
  return Array.isArray(answer) ? answer : answer.items
}

export function addMember(member: {
  name: string
  login: string
  role: Role
  supervisor: Id | null
  places: Id[]
  locale: Language
}): Promise<Invited> {
  return request('/api/members', { json: member })
}

export function changeMember(
  id: Id,
  change: { role: Role; supervisor: Id | null; places: Id[]; active: boolean },
): Promise<unknown> {
  return request(`/api/members/${id}`, { method: 'PUT', json: change })
}

export function inviteAgain(id: Id): Promise<{ invitation_url: string }> {
  return request(`/api/members/${id}/invitation`, { method: 'POST' })
}

export function addPlace(place: Pick<Place, 'id' | 'parent' | 'name' | 'code' | 'lat' | 'lon'>): Promise<unknown> {
  return request('/api/places', { json: place })
}

/** Columns: code,parent_code,name,lat,lon. */
export function importPlaces(csv: string): Promise<unknown> {
  return request('/api/places/import', { method: 'POST', body: csv, headers: { 'Content-Type': 'text/csv' } })
}

export interface Proof {
  valid: boolean
  checks: { name: string; ok: boolean; detail: string }[]
}

export const verifySignature = (id: Id): Promise<Proof> => request(`/api/signatures/${id}/verify`)
export const signaturePicture = (id: Id): string => `/api/signatures/${id}/picture`
