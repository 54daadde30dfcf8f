// The engine against a server that loses, doubles and delays: every command takes effect once, and both sides agree.
import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import type { Household } from '../src/api/records'
import { database } from '../src/db/account'
import { newId } from '../src/ids'
import { choose } from '../src/sync/batch'
import { attention, resolveAttention } from '../src/sync/attention'
import { command } from '../src/sync/command'
import { draft, flushDrafts, putDraft } from '../src/drafts'
import { deliveryOf } from '../src/sync/delivery'
import { household as read } from '../src/queries/households'
import { ModelServer, type Fault } from './model-server'
import { findings, household, newPhone, settle, turn } from './phone'

let server: ModelServer
beforeEach(async () => {
  server = new ModelServer()
  server.install()
  await newPhone()
})

/** Every record of the server is on the phone exactly so, and nothing else. */
async function converged(): Promise<void> {
  const rows = await database().getAll('records')
  const there = [...server.records.values()].filter(({ body }) => body)
  expect(rows.map(({ kind, id }) => `${kind}:${id}`).sort()).toEqual(there.map(({ kind, id }) => `${kind}:${id}`).sort())
  for (const { kind, id, body } of there) {
    const row = rows.find((found) => found.kind === kind && found.id === id)!
    expect(row.body).toEqual(body)
    expect(row.base).toBeUndefined()
  }
}

const fault = fc.constantFrom<Fault>('none', 'none', 'lost', 'answer_lost', 'doubled', 'late', 'unavailable', 'cut')
const step = fc.oneof(
  fc.record({ do: fc.constant('register' as const), refused: fc.boolean() }),
  fc.record({ do: fc.constant('rename' as const), which: fc.nat(5), name: fc.constantFrom('Atieno', 'Baraka', 'REFUSED') }),
  fc.record({ do: fc.constant('visit' as const), which: fc.nat(5), at: fc.integer({ min: 1, max: 9_999 }) }),
  fc.record({ do: fc.constant('other' as const), which: fc.nat(5), notes: fc.constantFrom('x', 'y') }),
  fc.record({ do: fc.constant('sync' as const), faults: fc.array(fault, { maxLength: 4 }), page: fc.integer({ min: 1, max: 6 }) }),
)

/** `scripts/soak pwa` asks for ten thousand. */
const HISTORIES = Number(process.env.KILELE_MODEL_HISTORIES ?? 150)

test('whatever is lost, doubled or late: each command takes effect once, in order, and both sides agree', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 22 }), async (steps) => {
      server = new ModelServer()
      server.install()
      await newPhone()
      const ids: string[] = []
      const given: string[] = []
      for (const now of steps) {
        const target = 'which' in now ? ids[now.which % Math.max(1, ids.length)] : undefined
        if (now.do === 'register') {
          const form = household({ head_name: now.refused ? 'REFUSED' : 'Mama Achieng' })
          if (!now.refused) ids.push(form.id)
          given.push(await command('household.register', { household: form, evidence: [] }))
        } else if (now.do === 'rename' && target) {
          const seen = await read(target)
          if (seen) given.push(await command('household.update', { id: target, changes: { head_name: { was: seen.head_name, now: now.name } } }))
        } else if (now.do === 'visit' && target) {
          given.push(await command('visit.submit', { id: newId(), household: target, ...findings({ started_at: now.at }), evidence: [], signature: null }))
        } else if (now.do === 'other' && target) {
          // Another phone's change, on the server only.
          const there = server.find<Household>('household', target)
          if (there) server.put(there.place, 'household', target, { ...there, notes: now.notes })
        } else if (now.do === 'sync') {
          server.page = now.page
          server.faults = [...now.faults]
          await turn()
        }
      }
      server.faults = []
      await settle()
      await converged()
      const refused = (await attention()).map(({ id }) => id)
      expect([...server.effects.values()].every((times) => times === 1)).toBe(true)
      expect([...server.order, ...refused].sort()).toEqual([...given].sort())
      // Order of giving is kept among those that took effect.
      expect(server.order).toEqual(given.filter((id) => server.effects.has(id)))
    }),
    { numRuns: HISTORIES },
  )
}, 120_000 + 60 * HISTORIES)

test('a refused command goes to the list with its reason and holds nobody up', async () => {
  const good = household()
  const bad = household({ head_name: 'REFUSED' })
  await command('household.register', { household: good, evidence: [] })
  const refused = await command('household.register', { household: bad, evidence: [] })
  await command('household.update', { id: good.id, changes: { notes: { was: null, now: 'REFUSED' } } })
  await command('household.update', { id: good.id, changes: { phone: { was: null, now: '+254712345678' } } })
  await settle()
  expect(server.find<Household>('household', good.id)).toMatchObject({ phone: '+254712345678', notes: null })
  expect(await attention()).toMatchObject([{ id: refused, code: 'invalid' }, { kind: 'household.update' }])
  expect(await read(good.id)).toMatchObject({ notes: null, phone: '+254712345678' })
  expect(await deliveryOf(bad.id)).toMatchObject({ record: 'attention' })
  await converged()
})

test('a refused command can be sent again under a new id, or dropped', async () => {
  const form = household({ head_name: 'REFUSED' })
  const first = await command('household.register', { household: form, evidence: [] })
  await settle()
  await resolveAttention(first, 'retry')
  expect(await read(form.id)).not.toBeNull()
  await settle()
  const [again] = await attention()
  expect(again!.id).not.toBe(first)
  await resolveAttention(again!.id, 'discard')
  expect(await attention()).toEqual([])
  expect(await read(form.id)).toBeNull()
})

test('a refused correction is opened again as it was typed, mended and sent', async () => {
  const form = household()
  await command('household.register', { household: form, evidence: [] })
  await settle()
  const typed = { fields: { head_name: 'REFUSED' } }
  putDraft({ id: form.id, kind: 'household', subject: form.id, value: typed })
  await flushDrafts()
  const wrong = { id: form.id, changes: { head_name: { was: form.head_name, now: 'REFUSED' } } }
  const refused = await command('household.update', wrong, { draft: form.id })
  await settle()
  expect(await draft(form.id)).toBeNull()
  expect(await resolveAttention(refused, 'edit')).toBe(form.id)
  expect(await draft(form.id)).toMatchObject({ kind: 'household', subject: form.id, value: typed })
  expect(await attention()).toEqual([])
  const right = { id: form.id, changes: { head_name: { was: form.head_name, now: 'Mama Atieno' } } }
  await command('household.update', right, { draft: form.id })
  await settle()
  expect(server.find<Household>('household', form.id)).toMatchObject({ head_name: 'Mama Atieno' })
  await converged()
})

test('a feed that begins anew after a restore leaves nothing behind, but what is not sent', async () => {
  const kept = household()
  const lost = household()
  await command('household.register', { household: kept, evidence: [] })
  await command('household.register', { household: lost, evidence: [] })
  await settle()
  // The server comes back as it was before the second registration.
  const [feed] = [...server.revisions.keys()]
  for (const [key, stored] of server.records) if (stored.id === lost.id) server.records.delete(key)
  server.resets = [feed!]
  await command('household.update', { id: kept.id, changes: { notes: { was: null, now: 'unsent' } } })
  await settle()
  expect(await read(lost.id)).toBeNull()
  expect(await read(kept.id)).toMatchObject({ notes: 'unsent' })
  await converged()
})

test('one command that breaks the server does not keep the others', async () => {
  const forms = Array.from({ length: 9 }, (_, i) => household({ head_name: `Family ${i}` }))
  for (const form of forms) await command('household.register', { household: form, evidence: [] })
  await command('household.update', { id: forms[4]!.id, changes: { notes: { was: null, now: 'after the broken one' } } })
  server.breaksOver = ({ kind, body }) => kind === 'household.register' && body.household.id === forms[4]!.id
  await turn()
  expect(server.order).toHaveLength(8)
  server.breaksOver = () => false
  await settle()
  expect(server.find<Household>('household', forms[4]!.id)).toMatchObject({ notes: 'after the broken one' })
  await converged()
})

test('what the server says about a record is shown under what waits', async () => {
  const form = household()
  await command('household.register', { household: form, evidence: [] })
  await settle()
  await command('household.update', { id: form.id, changes: { phone: { was: null, now: '+254700000001' } } })
  const there = server.find<Household>('household', form.id)!
  server.put(there.place, 'household', form.id, { ...there, notes: 'from the office' })
  server.faults = ['answer_lost', 'lost']
  await turn()
  expect(await read(form.id)).toMatchObject({ phone: '+254700000001', notes: null })
  await settle()
  expect(await read(form.id)).toMatchObject({ phone: '+254700000001', notes: 'from the office' })
})

test('what was sent stays in sight while a long pull has yet to bring it back', async () => {
  for (const id of ['x', 'y', 'z']) server.put('a-village', 'household', id, { ...household({ id }), last_visit_at: null })
  const form = household()
  await command('household.register', { household: form, evidence: [] })
  server.page = 1
  server.faults = ['none', 'none', 'lost']
  expect(await turn()).toBe(false)
  expect(server.effects.size).toBe(1)
  expect(await read(form.id)).toMatchObject({ head_name: 'Mama Achieng', number: null })
  await settle()
  expect(await read(form.id)).toMatchObject({ number: 'HH-1' })
  await converged()
})

test('a record that moved is kept where it arrived, whichever of the two entries comes first', async () => {
  for (const [from, to] of [['village-9', 'village-1'], ['village-1', 'village-9']] as const) {
    const id = newId()
    server.put(from, 'household', id, { ...household({ id }), last_visit_at: null })
    await settle()
    server.put(to, 'household', id, { ...household({ id, place: to }), last_visit_at: null })
    server.put(from, 'household', id, null)
    await settle()
    expect(await read(id)).toMatchObject({ place: to })
  }
  await converged()
})

test('a village that is taken away leaves the phone, unsent work does not', async () => {
  const kept = household()
  server.put('village-1', 'household', 'old', { ...household({ id: 'old' }), last_visit_at: null })
  await settle()
  await command('household.register', { household: kept, evidence: [] })
  const plainFetch = globalThis.fetch
  globalThis.fetch = (async () =>
    new Response(JSON.stringify({ results: [], feeds: {}, gone: ['village-1'], acknowledged: [], want: [], unknown: [], server_time: 1, min_schema: 1, more: false }))) as typeof fetch
  await turn()
  globalThis.fetch = plainFetch
  expect(await read('old')).toBeNull()
  expect(await read(kept.id)).not.toBeNull()
  expect(await database().count('outbox')).toBe(1)
})

test('another program that answers in the server’s place changes nothing', async () => {
  const form = household()
  await command('household.register', { household: form, evidence: [] })
  globalThis.fetch = (async () => new Response('<html>Please log in to the hotel</html>', { status: 200 })) as typeof fetch
  expect(await turn()).toBe(false)
  globalThis.fetch = (async () => new Response('{"ok":true}', { status: 200 })) as typeof fetch
  expect(await turn()).toBe(false)
  expect(await database().count('outbox')).toBe(1)
})

test('a request carries at most 50 commands or 100 kB, and keeps the order of each record', () => {
  const entry = (id: string, record: string, size = 10) =>
    ({ id, records: [record], size, done: false }) as unknown as Parameters<typeof choose>[0][number]
  const many = Array.from({ length: 70 }, (_, i) => entry(`c${i}`, `r${i}`))
  expect(choose(many, new Set())).toHaveLength(50)
  expect(choose([entry('a', 'r', 60_000), entry('b', 's', 60_000)], new Set()).map(({ id }) => id)).toEqual(['a'])
  expect(choose([entry('a', 'r', 300_000)], new Set())).toHaveLength(1)
  expect(choose([entry('a', 'r'), entry('b', 'r'), entry('c', 's')], new Set(['a'])).map(({ id }) => id)).toEqual(['c'])
})
