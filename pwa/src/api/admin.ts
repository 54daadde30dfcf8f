// What administrators do online: members, places, and proof of a signature.
import createClient from 'openapi-fetch'
import { send } from './client'
import type { Id } from './records'
import type { components, paths } from './schema'

type Schemas = components['schemas']
export type MemberRow = Schemas['Person']
export type NewMember = Schemas['NewMember']
export type MemberChange = Schemas['MemberChange']
export type NewPlace = Schemas['NewPlace']
export type Invited = Schemas['Invited']
export type Devices = Schemas['Devices']
export type Device = Schemas['Device']
export type Proof = Schemas['Verification']

/** The typed client over our own `send`: its header, renewal of the session, and problems. */
const api = createClient<paths>({
  baseUrl: location.origin,
  fetch: async (request: Request) => {
    const { pathname, search } = new URL(request.url)
    const type = request.headers.get('Content-Type')
    return send(pathname + search, {
      method: request.method,
      body: request.method === 'GET' ? undefined : await request.text(),
      headers: type ? { 'Content-Type': type } : {},
    })
  },
})

/** `send` throws what went wrong, so an answer without data does not come here. */
const data = async <T>(answer: Promise<{ data?: T }>): Promise<T> => (await answer).data as T

/** With who has signed in, and whose invitation still waits. */
export const members = async (): Promise<Schemas['ListedMember'][]> => (await data(api.GET('/api/members'))).items

export const addMember = (member: NewMember): Promise<Invited> => data(api.POST('/api/members', { body: member }))

export const changeMember = (id: Id, change: MemberChange): Promise<MemberRow> =>
  data(api.PUT('/api/members/{id}', { params: { path: { id } }, body: change }))

export const inviteAgain = (id: Id): Promise<{ invitation_url: string }> =>
  data(api.POST('/api/members/{id}/invitation', { params: { path: { id } } }))

/** Devices within this person's reach, with what was captured there and has not arrived. */
export const devices = (): Promise<Devices> => data(api.GET('/api/devices'))

export const revokeDevice = (id: Id): Promise<unknown> =>
  data(api.POST('/api/devices/{id}/revoke', { params: { path: { id } } }))

/** A record that was put aside because its maker had left: taken after all, or left. */
export const settleKept = (id: Id, take: boolean): Promise<unknown> =>
  data(api.POST('/api/outbox/{id}/settle', { params: { path: { id } }, body: { take } }))

export const addPlace = (place: NewPlace): Promise<Schemas['Place']> => data(api.POST('/api/places', { body: place }))

export const setKeepOriginals = (keep_originals: boolean): Promise<Schemas['Organisation']> =>
  data(api.PUT('/api/organisation', { body: { keep_originals } }))

export type CustomRole = Schemas['CustomRole']
export type NewRole = Schemas['NewRole']

export const roles = async (): Promise<CustomRole[]> => (await data(api.GET('/api/roles'))).items

export const addRole = (role: NewRole): Promise<CustomRole> => data(api.POST('/api/roles', { body: role }))

export const changeRole = (id: Id, role: NewRole): Promise<CustomRole> =>
  data(api.PUT('/api/roles/{id}', { params: { path: { id } }, body: role }))

export const removeRole = (id: Id): Promise<unknown> => data(api.DELETE('/api/roles/{id}', { params: { path: { id } } }))

/** Figures of what this person sees, counted by the server at this moment; what is late is late by `today`. */
export const figures = (today: string): Promise<Schemas['Figures']> =>
  data(api.GET('/api/figures', { params: { query: { today } } }))

/** Figures of every organisation, for oversight. */
/** Today by the organisation's clock, unless a day is named. */
export const dashboard = (date?: string): Promise<Schemas['Dashboard']> =>
  data(api.GET('/api/figures/day', { params: { query: { date } } }))
export const figuresAcross = (): Promise<Schemas['Across']> => data(api.GET('/api/figures/organisations'))

/** A beneficiary's own household. */
export const ownHome = (): Promise<Schemas['Home']> => data(api.GET('/api/home'))

/** Whether what the household signed still holds together. */
export const proveOwn = (id: Id): Promise<Proof> => data(api.GET('/api/home/signatures/{id}/verify', { params: { path: { id } } }))

/** The household says that a part of a grant did not come as it is written. */
export const disputePart = (tranche: Id, reason: string): Promise<unknown> =>
  data(api.POST('/api/home/disputes', { body: { tranche, reason } }))

export const withdrawConsent = (reason: string): Promise<unknown> =>
  data(api.POST('/api/home/consent/withdraw', { body: { reason } }))

export const verifySignature = (id: Id): Promise<Proof> =>
  data(api.GET('/api/signatures/{id}/verify', { params: { path: { id } } }))

export const signaturePicture = (id: Id): string => `/api/signatures/${id}/picture`
