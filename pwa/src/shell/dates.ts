// Dates, times and money as people here write them, in the language that is on, by the organisation's clock.
import { locale } from '../i18n/locale.svelte'
import { m } from '../paraglide/messages.js'
import { startOfDay, wall } from './zone.svelte'

export { startOfDay }

// The browser's own date format costs a slow phone 100 ms for the first date: as much as a screen. A test compares
// these with what it would say, for every day of a year in both languages.
const named = (list: string, index: number) => list.split(',')[index]!
const two = (n: number) => String(n).padStart(2, '0')

const near = new Map<string, Intl.RelativeTimeFormat>()
function relativeFormat(): Intl.RelativeTimeFormat {
  let found = near.get(locale.current)
  if (!found) near.set(locale.current, (found = new Intl.RelativeTimeFormat(locale.current, { numeric: 'auto' })))
  return found
}

/** "20 Nov 2025" */
export function day(at: number): string {
  const date = wall(at)
  return `${date.getUTCDate()} ${named(m.dates_months_short(), date.getUTCMonth())} ${date.getUTCFullYear()}`
}
/** "Thu, 20 Nov" */
export function shortDay(at: number): string {
  const date = wall(at)
  return `${named(m.dates_weekdays_short(), date.getUTCDay())}, ${date.getUTCDate()} ${named(m.dates_months_short(), date.getUTCMonth())}`
}
/** "Thursday, 20 November" */
export function longDay(at: number): string {
  const date = wall(at)
  return `${named(m.dates_weekdays(), date.getUTCDay())}, ${date.getUTCDate()} ${named(m.dates_months(), date.getUTCMonth())}`
}
/** "14:05" */
export function time(at: number): string {
  const date = wall(at)
  return `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`
}
export const dayTime = (at: number) => `${day(at)}, ${time(at)}`

export const daysBetween = (from: number, to: number) => Math.round((startOfDay(to) - startOfDay(from)) / 86_400_000)

/** "today", "yesterday", "12 days ago", "3 months ago" */
export function ago(at: number, now = Date.now()): string {
  const relative = relativeFormat()
  const days = daysBetween(now, at)
  const minutes = Math.round((at - now) / 60_000)
  if (days === 0)
    return minutes > -1
      ? relative.format(0, 'minute')
      : minutes > -60
        ? relative.format(minutes, 'minute')
        : relative.format(Math.round(minutes / 60), 'hour')
  if (Math.abs(days) < 60) return relative.format(days, 'day')
  return Math.abs(days) < 730
    ? relative.format(Math.round(days / 30.4), 'month')
    : relative.format(Math.round(days / 365), 'year')
}

/** "today", "yesterday", "12 days ago": a day is as exact as it gets. */
export const agoDay = (at: number, now = Date.now()): string =>
  daysBetween(at, now) === 0
    ? relativeFormat().format(0, 'day')
    : ago(at, now)

/** Age in full years of a person born on a `YYYY-MM-DD`. */
export function age(born: string | null, now = Date.now()): number | null {
  if (!born) return null
  const birth = new Date(born),
    today = new Date(now)
  const years = today.getFullYear() - birth.getFullYear()
  return today.getMonth() < birth.getMonth() ||
    (today.getMonth() === birth.getMonth() && today.getDate() < birth.getDate())
    ? years - 1
    : years
}

/** Minor units as "KES 12,500". */
export const money = (minor: number, currency = 'KES') =>
  new Intl.NumberFormat('en-KE', {
    style: 'currency',
    currency,
    currencyDisplay: 'code',
    maximumFractionDigits: minor % 100 ? 2 : 0,
  }).format(minor / 100)

/** "1.4 MB" */
export const size = (bytes: number) =>
  bytes < 1e6
    ? `${Math.max(1, Math.round(bytes / 1e3))} kB`
    : bytes < 1e9
      ? `${(bytes / 1e6).toFixed(1)} MB`
      : `${(bytes / 1e9).toFixed(1)} GB`
