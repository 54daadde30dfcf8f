// Dates, times and money as people here write them, in the language that is on.
import { locale } from '../i18n/locale.svelte'

const made = new Map<string, Intl.DateTimeFormat>()
function format(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = locale.current + JSON.stringify(options)
  let found = made.get(key)
  if (!found) made.set(key, (found = new Intl.DateTimeFormat(locale.current === 'sw' ? 'sw-KE' : 'en-KE', options)))
  return found
}

const near = new Map<string, Intl.RelativeTimeFormat>()
function relativeFormat(): Intl.RelativeTimeFormat {
  let found = near.get(locale.current)
  if (!found) near.set(locale.current, (found = new Intl.RelativeTimeFormat(locale.current, { numeric: 'auto' })))
  return found
}

/** "20 Nov 2025" */
export const day = (at: number) => format({ day: 'numeric', month: 'short', year: 'numeric' }).format(at)
/** "Thu 20 Nov" */
export const shortDay = (at: number) => format({ weekday: 'short', day: 'numeric', month: 'short' }).format(at)
/** "Thursday 20 November" */
export const longDay = (at: number) => format({ weekday: 'long', day: 'numeric', month: 'long' }).format(at)
/** "14:05" */
export const time = (at: number) => format({ hour: '2-digit', minute: '2-digit', hour12: false }).format(at)
export const dayTime = (at: number) => `${day(at)}, ${time(at)}`

export const startOfDay = (at: number) => new Date(at).setHours(0, 0, 0, 0)
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
  bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`
