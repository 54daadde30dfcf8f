// How a person is told, and who was not reached: asked of the server, online.
import { request } from './client'
import type { components } from './schema'

type Schemas = components['schemas']
export type Told = Schemas['Told']
export type ToldChoice = Schemas['ToldChoice']
export type ToldKind = Schemas['ToldKind']
export type Channel = Schemas['Channel']
export type Unreached = Schemas['Unreached']

export const told = (): Promise<ToldChoice> => request('/api/me/told')
export const setTold = (told: Told): Promise<void> => request('/api/me/told', { method: 'PUT', json: told })
export const unreached = (): Promise<Schemas['Page_Unreached']> => request('/api/unreached')
