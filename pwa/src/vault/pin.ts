// Wraps an account's data key with its PIN: slow to try, and useless without this phone's own key.
import { utf8 } from '../bytes'

type Bytes = Uint8Array<ArrayBuffer>

export const ITERATIONS = 600_000
export const DIGITS = 6

/** A wrapped data key as it lies on the phone. */
export interface Wrapped {
  salt: Bytes
  iv: Bytes
  sealed: ArrayBuffer
}
export interface PinWrap extends Wrapped {
  iterations: number
}

/** Six digits that thousands of people would choose first are no secret. */
export function weakPin(pin: string): boolean {
  if (new Set(pin).size < 3) return true
  const steps = new Set([...pin].slice(1).map((digit, i) => (Number(digit) - Number(pin[i]) + 10) % 10))
  if (steps.size === 1) return true
  return pin.slice(0, 3) === pin.slice(3) || pin.slice(0, 2).repeat(3) === pin
}

export const newKey = (): Bytes => crypto.getRandomValues(new Uint8Array(32))

/** Never leaves the browser, so that what a page can read of its own storage cannot be tried elsewhere. */
export const newPepper = (): Promise<CryptoKey> =>
  crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])

export async function wrapByPin(key: Bytes, pin: string, pepper: CryptoKey): Promise<PinWrap> {
  const salt = crypto.getRandomValues(new Uint8Array(16))
  const secret = await fromPin(pin, salt, ITERATIONS)
  return { ...(await wrap(key, secret, pepper, salt)), iterations: ITERATIONS }
}

/** Null when the PIN is another. */
export async function unwrapByPin({ iterations, ...wrapped }: PinWrap, pin: string, pepper: CryptoKey): Promise<Bytes | null> {
  return unwrap(wrapped, await fromPin(pin, wrapped.salt, iterations), pepper)
}

async function fromPin(pin: string, salt: Bytes, iterations: number): Promise<Bytes> {
  const typed = await crypto.subtle.importKey('raw', utf8(pin), 'PBKDF2', false, ['deriveBits'])
  return new Uint8Array(await crypto.subtle.deriveBits({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, typed, 256))
}

/** `secret`: what the person knows, or what their screen lock gives. */
export async function wrap(key: Bytes, secret: Bytes, pepper: CryptoKey, salt: Bytes): Promise<Wrapped> {
  const iv = crypto.getRandomValues(new Uint8Array(12))
  const by = await wrapping(secret, pepper, salt)
  return { salt, iv, sealed: await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: PURPOSE }, by, key) }
}

export async function unwrap({ salt, iv, sealed }: Wrapped, secret: Bytes, pepper: CryptoKey): Promise<Bytes | null> {
  const by = await wrapping(secret, pepper, salt)
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv, additionalData: PURPOSE }, by, sealed))
  } catch {
    return null
  }
}

const PURPOSE = utf8('kilele data key 1')

async function wrapping(secret: Bytes, pepper: CryptoKey, salt: Bytes): Promise<CryptoKey> {
  const spiced = await crypto.subtle.sign('HMAC', pepper, secret)
  const base = await crypto.subtle.importKey('raw', spiced, 'HKDF', false, ['deriveKey'])
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt, info: PURPOSE }, base, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'],
  )
}
