// Dates are written without the browser's own format, and must read as it would write them.
import { afterEach, expect, test, vi } from 'vitest'
import { overwriteGetLocale } from '../src/paraglide/runtime.js'
import { day, longDay, shortDay, startOfDay, time } from '../src/shell/dates'
import { fromLocalInput, localInput } from '../src/shell/inputs'

afterEach(() => overwriteGetLocale(() => 'en'))

test.each([
  ['en', 'en-KE'],
  ['sw', 'sw-KE'],
] as const)('every day of a year reads as the browser would write it: %s', (language, region) => {
  overwriteGetLocale(() => language)
  const as = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(region, options)
  const written = [
    [day, as({ day: 'numeric', month: 'short', year: 'numeric' })],
    [shortDay, as({ weekday: 'short', day: 'numeric', month: 'short' })],
    [longDay, as({ weekday: 'long', day: 'numeric', month: 'long' })],
    [time, as({ hour: '2-digit', minute: '2-digit', hour12: false })],
  ] as const
  for (let n = 0; n < 366; n++) {
    const at = new Date(2028, 0, 1 + n, n % 24, (n * 7) % 60).getTime()
    for (const [ours, theirs] of written) expect(ours(at)).toBe(theirs.format(at))
  }
})

test("dates are the organisation's, wherever the phone is", async () => {
  const { useZone } = await import('../src/shell/zone.svelte')
  vi.stubGlobal('requestIdleCallback', (work: () => void) => work())
  const at = Date.UTC(2026, 2, 8, 20, 30)
  for (const zone of ['Asia/Manila', 'America/New_York', 'Asia/Kathmandu', 'No/Such', 'Pacific/Auckland']) {
    useZone(zone)
    const timeZone = zone === 'No/Such' ? undefined : zone
    const as = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat('en-KE', { ...options, timeZone })
    const [days, times] = [
      as({ day: 'numeric', month: 'short', year: 'numeric' }),
      as({ hour: '2-digit', minute: '2-digit', hour12: false }),
    ]
    for (let n = 0; n < 400; n++) {
      const then = at + n * 86_400_000 + n * 1_234_567
      expect(day(then)).toBe(days.format(then))
      expect(time(then)).toBe(times.format(then))
      expect(time(startOfDay(then))).toBe('00:00')
      expect(day(startOfDay(then))).toBe(day(then))
      expect(fromLocalInput(localInput(then))).toBe(Math.floor(then / 60_000) * 60_000)
    }
  }
  vi.unstubAllGlobals()
})
