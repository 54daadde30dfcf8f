// The server's side of the sealed outbox, for tests: its key pair, and opening what phones seal to it.
import { base64url, fromBase64url, hex, utf8 } from '../src/bytes'
import type { Item, OutboxKey, Parcel } from '../src/db/schema'
import { open } from '../src/vault/hpke'

export interface ServerKey {
  key: OutboxKey
  pair: CryptoKeyPair
}

export async function newServerKey(): Promise<ServerKey> {
  const pair = (await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, true, ['deriveBits'])) as CryptoKeyPair
  const raw = await crypto.subtle.exportKey('raw', pair.publicKey)
  const id = hex(await crypto.subtle.digest('SHA-256', raw)).slice(0, 16)
  return { key: { id, public: base64url(raw) }, pair }
}

const aad = ({ v, what, org, member, device, id }: Item | Parcel) => utf8([v, what, org, member, device, id].join('|'))

/** The command as it was given, once seal and proof fit. */
export async function openItem({ pair }: ServerKey, item: Item, device: CryptoKey): Promise<unknown> {
  const plain = await open(pair, fromBase64url(item.enc), utf8('kilele-outbox-1'), aad(item), fromBase64url(item.sealed))
  const { command, proof } = JSON.parse(new TextDecoder().decode(plain)) as { command: string; proof: string }
  const hash = hex(await crypto.subtle.digest('SHA-256', utf8(command)))
  const said = utf8(`kilele-outbox|${item.org}|${item.member}|${item.device}|${hash}`)
  const fits = await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, device, fromBase64url(proof), said)
  if (!fits) throw new Error('the proof does not fit')
  return JSON.parse(command)
}

/** The key to a picture's bytes. */
export async function openParcel({ pair }: ServerKey, { enc, sealed, ...parcel }: Parcel): Promise<Uint8Array<ArrayBuffer>> {
  return open(pair, fromBase64url(enc), utf8('kilele-capture-1'), aad({ ...parcel, enc, sealed }), fromBase64url(sealed))
}
