// What the server says of devices, in the lines that people read: missing pictures by day, and who works where.
import type { Device } from '../api/admin'
import { startOfDay } from '../shell/dates'

export interface MissingDay {
  day: number
  count: number
  /** The phone no longer names them: they will not come by themselves. */
  dropped: number
}

/** Pictures that have not arrived, by the day on which they were taken, oldest first. */
export function missingByDay(device: Pick<Device, 'missing'>): MissingDay[] {
  const days = new Map<number, MissingDay>()
  for (const { captured_at, dropped_at } of device.missing) {
    const day = startOfDay(captured_at)
    const line = days.get(day) ?? { day, count: 0, dropped: 0 }
    line.count++
    if (dropped_at) line.dropped++
    days.set(day, line)
  }
  return [...days.values()].sort((a, b) => a.day - b.day)
}

/** Devices that need somebody first: losses, then missing pictures, then the longest silence. Revoked ones come last. */
export function byNeed(devices: Device[]): Device[] {
  const need = (device: Device) =>
    device.revoked_at && !device.missing_count ? 3 : device.losses.length ? 0 : device.missing_count ? 1 : 2
  return [...devices].sort((a, b) => need(a) - need(b) || a.last_seen_at - b.last_seen_at)
}
