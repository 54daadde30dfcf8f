// What an organisation has before any story of a grant begins: a programme with money, its policies, and people beside the demo's.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Api, type Login, PASSWORD, signIn, uuid7 } from './api'
import { REPOSITORY } from './paths'

/** Somebody new in the organisation, signed in once. */
export async function member(url: string, admin: Api, login: Login, role: string): Promise<Api> {
  const name = login.split('.').map((part) => part[0]!.toUpperCase() + part.slice(1)).join(' ')
  const answer = await admin.request('POST', '/api/members', { name, login, role, places: [], locale: 'en' })
  const { invitation_url } = (await answer.json()) as { invitation_url: string }
  const join = { token: invitation_url.split('#')[1], password: PASSWORD, device: { id: uuid7(), name: 'Story' } }
  const headers = { 'content-type': 'application/json', 'x-kilele': '1' }
  const joined = await fetch(`${url}/api/join`, { method: 'POST', headers, body: JSON.stringify(join) })
  if (joined.status !== 200) throw new Error(`${login}: ${joined.status} ${await joined.text()}`)
  return signIn(url, login)
}

/** One that takes households by the weighted instrument, with money to give. */
export async function programme(admin: Api, name: string, budget_minor: number): Promise<string> {
  const id = uuid7()
  const facts = { code: 'FY27', name, kind: 'graduation', category: 'graduation', status: 'open', instrument: 'weighted', version: 1, places: [], budget_minor }
  await put(admin, `/api/programmes/${id}`, { programme: facts })
  return id
}

/** A policy as it ships. Answers its id. */
export async function policy(manager: Api, programme: string, key: 'SB' | 'PR'): Promise<string> {
  const facts = JSON.parse(readFileSync(join(REPOSITORY, `instruments/policy-${key}-1.json`), 'utf8')) as object
  const id = uuid7()
  await put(manager, `/api/policies/${id}`, { policy: { ...facts, programme } })
  return id
}

async function put(by: Api, path: string, body: unknown): Promise<void> {
  const answer = await by.request('PUT', path, body)
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
}
