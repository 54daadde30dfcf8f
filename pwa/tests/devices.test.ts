// The lines of the capture ledger: what was taken, on which day, and which phones need somebody first.
import { expect, test } from 'vitest'
import type { Device } from '../src/api/admin'
import { byNeed, missingByDay } from '../src/devices/ledger'

const at = (day: number, hour = 9) => new Date(2026, 4, day, hour).getTime()
const taken = (captured_at: number, dropped_at?: number) => ({
  id: String(captured_at), slot: 'front', subject: 's', bytes: 1, captured_at, announced_at: captured_at, dropped_at,
})
const device = (id: string, over: Partial<Device>): Device => ({
  id, member: 'm', name: id, current: false, first_seen_at: 0, last_seen_at: 0, missing: [], missing_count: 0, losses: [], ...over,
})

test('pictures that have not arrived are counted by the day they were taken', () => {
  const missing = [taken(at(5)), taken(at(4)), taken(at(4, 17), at(6)), taken(at(4, 10))]
  expect(missingByDay({ missing })).toEqual([
    { day: at(4, 0), count: 3, dropped: 1 },
    { day: at(5, 0), count: 1, dropped: 0 },
  ])
})

test('losses come first, then missing pictures, then the longest silence, revoked ones last', () => {
  const loss = { id: 'l', noticed_at: 1, records: 1, captures: 0, drafts: 0, items: [] }
  const all = [
    device('revoked', { revoked_at: 1 }), device('fine', { last_seen_at: 9 }), device('silent', { last_seen_at: 1 }),
    device('missing', { missing_count: 2 }), device('lost', { losses: [loss] }),
    device('revoked, missing', { revoked_at: 1, missing_count: 1, last_seen_at: 2 }),
  ]
  expect(byNeed(all).map(({ id }) => id)).toEqual(['lost', 'missing', 'revoked, missing', 'silent', 'fine', 'revoked'])
})
