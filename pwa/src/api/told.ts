// How a person is told, and who was not reached: asked of the server, online.
import { request } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type Told = Schemas['Told']
export type ToldChoice = Schemas['ToldChoice']
export type ToldKind = Schemas['ToldKind']
export type Channel = Schemas['Channel']
export type KindWords = Schemas['KindWords']
export type ToldGroup = Schemas['ToldGroup']
export type AddressState = Schemas['ToldAddress']
export type MemberTold = Schemas['MemberTold']
export type Confirmed = Schemas['Confirmed']
export type Unreached = Schemas['Unreached']

export const told = (): Promise<ToldChoice> => request('/api/me/told')
export const setTold = (told: Told): Promise<void> => request('/api/me/told', { method: 'PUT', json: told })
/** To the address that is saved. */
export const sendCode = (channel: Channel): Promise<Schemas['ToldCodeSent']> =>
  request('/api/me/told/code', { method: 'POST', json: { channel } })
export const confirmTold = (channel: Channel, code: string): Promise<void> =>
  request('/api/me/told/confirm', { method: 'POST', json: { channel, code } })
export const memberTold = (member: string): Promise<MemberTold> => request(`/api/members/${member}/told`)
export const vouchTold = (member: string, channel: Channel, address: string): Promise<void> =>
  request(`/api/members/${member}/told/vouch`, { method: 'POST', json: { channel, address } })
export const unreached = (): Promise<Schemas['Page_Unreached']> => request('/api/unreached')
