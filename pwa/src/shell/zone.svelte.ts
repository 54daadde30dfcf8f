// The clock that dates are written by: the organisation's, which on nearly every phone is the phone's own. The browser
// is asked for another zone only where there is one, because asking costs a slow phone as much as a screen.

const QUARTER = 900_000
const KEPT = 'kilele-zone'

let name = ''
/** Only when the organisation's clock differs from this device's. */
let format = $state.raw<Intl.DateTimeFormat | null>(null)
const offsets = new Map<number, number>()

/** How far that clock is ahead of UTC at this moment, in milliseconds. */
export function offsetAt(at: number): number {
  if (!format) return -new Date(at).getTimezoneOffset() * 60_000
  // Zones change at full quarters of an hour.
  const quarter = Math.floor(at / QUARTER) * QUARTER
  let known = offsets.get(quarter)
  if (known === undefined) offsets.set(quarter, (known = asked(format, quarter)))
  return known
}

/** What that clock shows, to be read with the methods named UTC. */
export const wall = (at: number): Date => new Date(at + offsetAt(at))

/** The moment at which that clock shows this: the reverse of `wall`. */
export function moment(shown: number): number {
  const near = shown - offsetAt(shown)
  return shown - offsetAt(near)
}

/** Midnight of the day that holds `at`. */
export function startOfDay(at: number): number {
  return moment(wall(at).setUTCHours(0, 0, 0, 0))
}

/** Dates are those of this zone from now on, on every screen that is open. */
export function useZone(zone: string | undefined): void {
  if (!zone || zone === name) return
  name = zone
  const key = `${zone} ${device().join(' ')}`
  const kept = remembered()
  if (kept === `${key} other`) return show(made(zone))
  show(null)
  if (kept === `${key} same`) return
  // Found out once, when there is nothing else to do.
  const idle = globalThis.requestIdleCallback ?? ((work: () => void) => setTimeout(work, 2_000))
  idle(() => name === zone && decide(zone, key))
}

/** Whether the zone's clock is another than the device's, and so which of them is shown. */
function decide(zone: string, key: string): void {
  const other = made(zone)
  const differs = other !== null && times().some((at, i) => asked(other, at) !== device()[i])
  show(differs ? other : null)
  try {
    localStorage.setItem(KEPT, `${key} ${differs ? 'other' : 'same'}`)
  } catch {
    // It is found out again next time.
  }
}

function show(next: Intl.DateTimeFormat | null): void {
  offsets.clear()
  format = next
}

/** Nothing for a zone that this browser does not know. */
function made(timeZone: string): Intl.DateTimeFormat | null {
  try {
    const two = '2-digit'
    return new Intl.DateTimeFormat('en', {
      timeZone, hourCycle: 'h23', year: 'numeric', month: two, day: two, hour: two, minute: two, second: two,
    })
  } catch {
    return null
  }
}

function asked(zone: Intl.DateTimeFormat, at: number): number {
  const part = Object.fromEntries(zone.formatToParts(at).map(({ type, value }) => [type, Number(value)]))
  const shown = Date.UTC(part.year!, part.month! - 1, part.day, part.hour, part.minute, part.second)
  return shown - Math.floor(at / 1000) * 1000
}

/** Winter, summer, and the two between, of this year. */
function times(): number[] {
  const year = new Date().getUTCFullYear()
  return [0, 3, 6, 9].map((month) => Date.UTC(year, month, 15))
}
const device = () => times().map((at) => -new Date(at).getTimezoneOffset() * 60_000)

function remembered(): string | null {
  try {
    return localStorage.getItem(KEPT)
  } catch {
    return null
  }
}
