// How often the phone asks, and that what comes first can be used before the rest is there.
import { beforeEach, expect, test } from 'vitest'
import type { Household, SyncAnswer, SyncRequest } from '../src/api/records'
import { command } from '../src/sync/command'
import { household as read } from '../src/queries/households'
import { ModelServer } from './model-server'
import { household, newPhone, settle, turn } from './phone'

let server: ModelServer
beforeEach(async () => {
  server = new ModelServer()
  server.install()
  await newPhone()
})

test('twenty edits go up in one round trip, and a heartbeat is one request', async () => {
  const homes = Array.from({ length: 20 }, () => household())
  for (const home of homes) await command('household.register', { household: home, evidence: [] })
  await settle()
  const before = server.order.length
  server.syncs = 0
  for (const { id } of homes) {
    await command('household.update', { id, changes: { notes: { was: null, now: 'The roof is mended.' } } })
  }
  await turn()
  expect(server.order.length - before).toBe(20)
  expect(server.syncs).toBeLessThanOrEqual(2)
  server.syncs = 0
  await turn()
  expect(server.syncs).toBe(1)
})

test('this week is usable after the first answer, and the rest is asked for from the beginning', async () => {
  const asked: SyncRequest['cursors'][] = []
  const home = { ...household(), revision: 9 } as unknown as Household
  globalThis.fetch = ((_path: string, init: RequestInit) => {
    asked.push((JSON.parse(init.body as string) as SyncRequest).cursors)
    if (asked.length > 1) return Promise.reject(new TypeError('network'))
    const first: Partial<SyncAnswer> = {
      results: [], gone: [], acknowledged: [], want: [], unknown: [], server_time: 1, min_schema: 1, more: true,
      feeds: { 'village-1': { entries: [{ kind: 'household', id: home.id, body: home }], revision: 0, more: true } },
    }
    return Promise.resolve(Response.json(first))
  }) as typeof fetch
  await turn()
  expect((await read(home.id))?.head_name).toBe(home.head_name)
  expect(asked).toEqual([{}, { 'village-1': 0 }])
})
