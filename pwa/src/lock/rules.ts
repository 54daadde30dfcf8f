// What a PIN must be, as sentences for the person who chooses one.
import { m } from '../paraglide/messages.js'
import { DIGITS, weakPin } from '../vault/pin'

export function pinFaults(pin: string, repeat: string): { pin?: string; repeat?: string } {
  if (pin.length !== DIGITS) return { pin: m.pin_fault_short() }
  if (weakPin(pin)) return { pin: m.pin_fault_weak() }
  return pin === repeat ? {} : { repeat: m.pin_fault_repeat() }
}

/** "2 minutes", "30 seconds": how long until the next try. */
export const waitText = (ms: number): string =>
  ms > 90_000 ? m.pin_minutes({ count: Math.ceil(ms / 60_000) }) : m.pin_seconds({ count: Math.ceil(ms / 1000) })
