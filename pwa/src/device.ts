// This phone's identity: an id and a key pair whose private half never leaves the browser.
import type { DeviceInfo, Id } from './api/records'
import { base64url, sha256, utf8 } from './bytes'
import { pref, setPref } from './db/prefs'
import { newId } from './ids'

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' }

export async function deviceId(): Promise<Id> {
  const known = await pref('device')
  if (known) return known
  const made = newId()
  await setPref('device', made)
  return made
}

/** A new identity, for a phone whose key is gone. */
export async function newDevice(): Promise<void> {
  await setPref('device', newId())
}

async function deviceKey(): Promise<CryptoKeyPair | null> {
  const known = await pref('deviceKey')
  if (known) return known
  // Without a secure context there is no key; the server then accepts the phone without proof.
  if (!globalThis.crypto?.subtle) return null
  const made = await crypto.subtle.generateKey(CURVE, false, ['sign', 'verify'])
  await setPref('deviceKey', made)
  return made
}

/** What sign-in tells the server about this phone. */
export async function describeDevice(): Promise<DeviceInfo> {
  return { id: await deviceId(), name: deviceName(navigator.userAgent), public_key: await publicKey() }
}

async function publicKey(): Promise<string | null> {
  const key = await deviceKey()
  return key && base64url(await crypto.subtle.exportKey('spki', key.publicKey))
}

/** The name by which signed records refer to this phone's key: the hash of the key's bytes. */
export async function keyId(): Promise<string | null> {
  const key = await deviceKey()
  return key && sha256(await crypto.subtle.exportKey('spki', key.publicKey))
}

/** ECDSA P-256 with SHA-256 over the UTF-8 text: raw r‖s, base64url. */
export async function signByDevice(text: string): Promise<string | null> {
  const key = await deviceKey()
  if (!key) return null
  return base64url(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, key.privateKey, utf8(text)))
}

/** "Chrome · Android 13": enough for a person to recognise their phone in a list. */
export function deviceName(agent: string): string {
  const browser = /Firefox|Edg|OPR|SamsungBrowser|Chrome|Safari/.exec(agent)?.[0] ?? 'Browser'
  const system = /Android [\d.]+|iPhone OS [\d_]+|Windows|Mac OS X|Linux|CrOS/.exec(agent)?.[0] ?? 'device'
  const names: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', SamsungBrowser: 'Samsung Internet' }
  return `${names[browser] ?? browser} · ${system.replace(/_/g, '.')}`
}
