// Dates are written without the browser's own format, and must read as it would write them.
import { afterEach, expect, test } from 'vitest'
import { overwriteGetLocale } from '../src/paraglide/runtime.js'
import { day, longDay, shortDay, time } from '../src/shell/dates'

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
