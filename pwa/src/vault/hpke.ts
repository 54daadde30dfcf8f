// Seals to a public key: HPKE (RFC 9180), base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256 and AES-GCM, by WebCrypto.
import { utf8 } from '../bytes'

type Bytes = Uint8Array<ArrayBuffer>

const CURVE = { name: 'ECDH', namedCurve: 'P-256' }
const HASH = 32
const KEM = [0x00, 0x10]
const KDF = [0x00, 0x01]

/** AES-256-GCM is the one in use; the RFC prints its example for AES-128-GCM. */
export interface Aead {
  id: number
  key: number
}
export const AES_256: Aead = { id: 2, key: 32 }
export const AES_128: Aead = { id: 1, key: 16 }

export interface Sealed {
  /** The sender's public key, 65 bytes. */
  enc: Bytes
  sealed: Bytes
}

/** Seals one message. `sender` is made anew each time; only the test hands one in. */
export async function seal(
  recipient: Bytes, info: Bytes, aad: Bytes, plain: Bytes,
  sender?: CryptoKeyPair, aead: Aead = AES_256,
): Promise<Sealed> {
  const pair = sender ?? ((await crypto.subtle.generateKey(CURVE, false, ['deriveBits'])) as CryptoKeyPair)
  const enc = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
  const { key, nonce } = await schedule(await shared(pair.privateKey, recipient, enc, recipient), info, aead)
  const cipher = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce, additionalData: aad }, key, plain)
  return { enc, sealed: new Uint8Array(cipher) }
}

/** What the server does; here for tests. */
export async function open(
  recipient: CryptoKeyPair, enc: Bytes, info: Bytes, aad: Bytes, sealed: Bytes, aead: Aead = AES_256,
): Promise<Bytes> {
  const own = new Uint8Array(await crypto.subtle.exportKey('raw', recipient.publicKey))
  const { key, nonce } = await schedule(await shared(recipient.privateKey, enc, enc, own), info, aead)
  return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: nonce, additionalData: aad }, key, sealed))
}

/** RFC 9180, 4.1: the shared secret of both sides, bound to both public keys. */
async function shared(own: CryptoKey, other: Bytes, enc: Bytes, recipient: Bytes): Promise<Bytes> {
  const key = await crypto.subtle.importKey('raw', other, CURVE, false, [])
  const secret = new Uint8Array(await crypto.subtle.deriveBits({ name: 'ECDH', public: key }, own, 256))
  const suite = bytes(utf8('KEM'), KEM)
  const extracted = await extract(suite, new Uint8Array(0), 'eae_prk', secret)
  return expand(suite, extracted, 'shared_secret', bytes(enc, recipient), HASH)
}

/** RFC 9180, 5.1, with mode 0 and no pre-shared key. */
async function schedule(secret: Bytes, info: Bytes, aead: Aead): Promise<{ key: CryptoKey; nonce: Bytes }> {
  const suite = bytes(utf8('HPKE'), KEM, KDF, [0, aead.id])
  const none = new Uint8Array(0)
  const context = bytes([0], await extract(suite, none, 'psk_id_hash', none), await extract(suite, none, 'info_hash', info))
  const base = await extract(suite, secret, 'secret', none)
  const raw = await expand(suite, base, 'key', context, aead.key)
  const nonce = await expand(suite, base, 'base_nonce', context, 12)
  return { key: await crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']), nonce }
}

const VERSION = utf8('HPKE-v1')

const extract = (suite: Bytes, salt: Bytes, label: string, input: Bytes): Promise<Bytes> =>
  mac(salt.length ? salt : new Uint8Array(HASH), bytes(VERSION, suite, utf8(label), input))

/** One block of HKDF-Expand is enough for everything here. */
async function expand(suite: Bytes, key: Bytes, label: string, info: Bytes, length: number): Promise<Bytes> {
  const labelled = bytes([length >> 8, length & 255], VERSION, suite, utf8(label), info)
  return (await mac(key, bytes(labelled, [1]))).slice(0, length)
}

async function mac(key: Bytes, data: Bytes): Promise<Bytes> {
  const imported = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', imported, data))
}

function bytes(...parts: (Uint8Array | number[])[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}
