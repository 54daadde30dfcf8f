// What a dashboard draws: no visit lost between the server's hours and the bars, nothing that waits counted twice.
import { afterEach, describe, expect, it } from 'vitest'
import type { Visit } from '../src/api/records'
import { ages, charted, shift } from '../src/figures/charted'
import { ofDay } from '../src/figures/of-day'
import { useZone } from '../src/shell/zone.svelte'

const hour = (at: number, submitted = 0) => ({ at, in_progress: 0, submitted, returned: 0, approved: 0 })

describe('hours', () => {
  const day = (full: number[]) => Array.from({ length: 24 }, (_, n) => hour(n, full.includes(n) ? 2 : 0))
  it('begin with the working day, or with the first visit', () => {
    expect(charted(day([9, 15])).map(({ at }) => at)).toEqual([7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17])
    expect(charted(day([4, 22])).map(({ at }) => at)).toEqual(Array.from({ length: 19 }, (_, n) => n + 4))
    expect(charted(day([0])).at(0)?.at).toBe(0)
  })
  it('lose no visit', () => {
    for (let n = 0; n < 24; n++) expect(charted(day([n])).reduce((sum, one) => sum + one.submitted, 0)).toBe(2)
    expect(charted([])).toEqual([])
  })
})

describe('what waits', () => {
  it('stands in one band each', () => {
    const waiting = [
      { what: 'visit', state: 'submitted', count: 10, day: 6, three_days: 4, week: 1, oldest_at: 0 },
      { what: 'grant', state: 'submitted', count: 3, day: 3, three_days: 3, week: 3, oldest_at: 0 },
      { what: 'release', state: 'approved', count: 2, day: 1, three_days: 0, week: 0, oldest_at: 0 },
    ]
    const { rows, series } = ages(waiting, () => true)
    expect(rows).toHaveLength(4)
    expect(series.map(({ values, href }) => [values, href])).toEqual([[[4, 2, 3, 1], '/queue'], [[1, 1, 0, 3], '/grants']])
    expect(ages([], () => false).series).toEqual([])
  })
})

describe('days', () => {
  afterEach(() => useZone('UTC'))
  it('go by the calendar', () => {
    expect([shift('2026-02-28', 1), shift('2028-02-28', 1), shift('2026-01-01', -1), shift('2026-03-29', 1)]).toEqual([
      '2026-03-01', '2028-02-29', '2025-12-31', '2026-03-30',
    ])
  })
  it('hold the visits that the server counts', () => {
    const visit = { state: 'approved', started_at: Date.UTC(2026, 10, 19, 20, 59), submitted_at: Date.UTC(2026, 10, 20, 9), decided_at: null, planned_at: null } as unknown as Visit
    expect(ofDay('2026-11-20', 'handed_in')(visit)).toBe(true)
    expect(ofDay('2026-11-20', 'decided')(visit)).toBe(false)
    expect(ofDay('2026-11-20', 'handed_in')({ ...visit, state: 'planned' })).toBe(false)
  })
})
