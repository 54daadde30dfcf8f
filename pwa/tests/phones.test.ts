// Several phones over the same villages, which move from one to another, with clocks that are days off: what each gave takes
// effect once and in its order, and each ends with what its own villages hold and nothing else.
import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, expect, test, vi } from 'vitest'
import type { Household } from '../src/api/records'
import { database, useAccount } from '../src/db/account'
import { newId } from '../src/ids'
import { household as read } from '../src/queries/households'
import { attention } from '../src/sync/attention'
import { actAs } from '../src/sync/author'
import { command } from '../src/sync/command'
import { type Fault, ModelServer } from './model-server'
import { findings, household, turn } from './phone'

const VILLAGES = ['village-1', 'village-2', 'village-3']
const DAY = 86_400_000

interface Phone {
  device: string
  vault: string
  key: Uint8Array
  given: string[]
  refused: string[]
  /** Milliseconds that its clock is off. */
  off: number
}

afterEach(() => vi.useRealTimers())

const START = Date.UTC(2026, 4, 4, 9)

/** Takes it into the hand: its own database, its own clock. */
async function hold(phone: Phone): Promise<void> {
  vi.setSystemTime(START + phone.off)
  await useAccount(phone.vault, phone.key)
  actAs({ member: 'member-1', device: phone.device })
}

const fault = fc.constantFrom<Fault>('none', 'none', 'lost', 'answer_lost', 'doubled', 'late', 'unavailable', 'cut')
const who = { phone: fc.nat(2) }
const step = fc.oneof(
  fc.record({ do: fc.constant('register' as const), ...who, village: fc.nat(2), refused: fc.boolean() }),
  fc.record({ do: fc.constant('rename' as const), ...who, which: fc.nat(9), name: fc.constantFrom('Atieno', 'Baraka', 'Chebet', 'REFUSED') }),
  fc.record({ do: fc.constant('visit' as const), ...who, which: fc.nat(9) }),
  fc.record({ do: fc.constant('assign' as const), from: fc.nat(2), to: fc.nat(2), village: fc.nat(2), both: fc.boolean() }),
  fc.record({ do: fc.constant('clock' as const), ...who, days: fc.integer({ min: -2, max: 2 }) }),
  fc.record({ do: fc.constant('sync' as const), ...who, faults: fc.array(fault, { maxLength: 4 }), page: fc.integer({ min: 1, max: 6 }) }),
)

/** `scripts/soak pwa` asks for ten thousand. */
const HISTORIES = Number(process.env.KILELE_MODEL_HISTORIES ?? 100)

test('villages move, clocks are off, lines break: each command once, in order, and each phone has what is its own', async () => {
  // Only the date: what waits goes on waiting for real.
  vi.useFakeTimers({ toFake: ['Date'] })
  const seen = { moved: 0, gone: 0, conflicts: 0, refused: 0 }
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 3 }), fc.array(step, { minLength: 4, maxLength: 26 }), async (count, steps) => {
      const server = new ModelServer()
      server.install()
      const phones: Phone[] = Array.from({ length: count }, (_, i) => ({
        device: `device-${i}`, vault: newId(), key: new Uint8Array(randomBytes(32)), given: [], refused: [], off: 0,
      }))
      const may = (phone: Phone) => server.sees.get(phone.device)!
      for (const [i, { device }] of phones.entries()) server.sees.set(device, new Set([VILLAGES[0]!, VILLAGES[i]!, ...(i ? [] : VILLAGES.slice(count))]))
      for (const place of VILLAGES) {
        const id = newId()
        server.put(place, 'household', id, { ...household({ id, place }), number: null, last_visit_at: null, registered_by: 'member-1' })
      }
      for (const phone of phones) {
        await hold(phone)
        expect(await turn(phone.device)).toBe(true)
      }
      for (const now of steps) {
        if (now.do === 'assign') {
          const [from, to] = [phones[now.from % count]!, phones[now.to % count]!]
          const village = VILLAGES[now.village]!
          // Some villages have two mentors.
          if (from !== to && !now.both && may(from).delete(village)) seen.moved++
          may(to).add(village)
          continue
        }
        const phone = phones[now.phone % count]!
        if (now.do === 'clock') {
          phone.off = now.days * DAY
          continue
        }
        await hold(phone)
        const known = (await database().getAll('records')).filter(({ kind }) => kind === 'household').map(({ id }) => id).sort()
        const target = 'which' in now && known.length ? known[now.which % known.length] : undefined
        if (now.do === 'register') {
          const form = household({ place: VILLAGES[now.village]!, head_name: now.refused ? 'REFUSED' : 'Mama Achieng' })
          // The form offers the villages that the phone was last told of; what was taken away since, it can't know.
          if (may(phone).has(form.place) || known.some((id) => server.find<Household>('household', id)?.place === form.place))
            phone.given.push(await command('household.register', { household: form, evidence: [] }))
        } else if (now.do === 'rename' && target) {
          const before = await read(target)
          if (before) phone.given.push(await command('household.update', { id: target, changes: { head_name: { was: before.head_name, now: now.name } } }))
        } else if (now.do === 'visit' && target) {
          phone.given.push(await command('visit.submit', { id: newId(), household: target, ...findings(), evidence: [], signature: null }))
        } else if (now.do === 'sync') {
          server.page = now.page
          server.faults = [...now.faults]
          await turn(phone.device)
          server.faults = []
        }
      }
      // Everybody comes home: first all deliver, then all hear of each other.
      for (let round = 0; round < 2; round++) {
        for (const phone of phones) {
          await hold(phone)
          for (let i = 0; ; i++) {
            expect(i, 'the phone never came to rest').toBeLessThan(60)
            if ((await turn(phone.device)) && (await database().count('outbox')) === 0) break
          }
        }
      }
      for (const phone of phones) {
        await hold(phone)
        phone.refused = (await attention()).map(({ id }) => id)
        seen.refused += phone.refused.length
        const rows = await database().getAll('records')
        const mine = [...server.records.values()].filter(({ feed, body }) => body && may(phone).has(feed))
        expect(rows.map(({ kind, id }) => `${kind}:${id}`).sort()).toEqual(mine.map(({ kind, id }) => `${kind}:${id}`).sort())
        for (const { kind, id, body } of mine) {
          const row = rows.find((found) => found.kind === kind && found.id === id)!
          expect(row.body).toEqual(body)
          expect(row.base).toBeUndefined()
        }
        const took = phone.given.filter((id) => server.effects.has(id))
        expect([...took, ...phone.refused].sort()).toEqual([...phone.given].sort())
        expect(server.order.filter((id) => phone.given.includes(id))).toEqual(took)
      }
      expect([...server.effects.values()].every((times) => times === 1)).toBe(true)
      seen.gone += server.taken
      seen.conflicts += [...server.log.values()].filter(({ status }) => status === 'conflict').length
    }),
    { numRuns: HISTORIES },
  )
  await useAccount(null)
  console.log(`${HISTORIES} histories: ${Object.entries(seen).map(([what, times]) => `${times} ${what}`).join(', ')}`)
  for (const times of Object.values(seen)) expect(times).toBeGreaterThan(0)
}, 120_000 + 120 * HISTORIES)
