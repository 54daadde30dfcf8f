// Seals what one account keeps, row by row and without waiting: a transaction of IndexedDB ends while WebCrypto works.
import { xchacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { Problem } from '../api/problem'
import { base64url, utf8 } from '../bytes'

type Bytes = Uint8Array<ArrayBuffer>

const NONCE = 24
/** Names are kept that are asked for again and again: feeds, subjects, states. */
const REMEMBERED = 4_000
const text = new TextDecoder()

/** A key for one purpose, so that what seals rows never names them. */
const derived = (key: Uint8Array, purpose: string): Bytes => hmac(sha256, key, utf8(`kilele ${purpose} 1`)) as Bytes

export class Sealer {
  private rows: Bytes
  private names: ReturnType<typeof hmac.create>
  private known = new Map<string, string>()
  private gone = false

  /** `key`: the account's data key, 32 random bytes. Only keys derived from it are kept here. */
  constructor(key: Uint8Array) {
    this.rows = derived(key, 'rows')
    const names = derived(key, 'names')
    this.names = hmac.create(sha256, names)
    names.fill(0)
    this.media = derived(key, 'pictures')
  }

  /** From this one come the keys for pictures, which WebCrypto seals. */
  readonly media: Bytes

  /** The name under which something is found without being named. */
  blind(purpose: string, name: string): string {
    this.check()
    const asked = `${purpose}\0${name}`
    const before = this.known.get(asked)
    if (before) return before
    const blinded = base64url((this.names.clone().update(utf8(asked)).digest() as Bytes).subarray(0, 18))
    if (this.known.size >= REMEMBERED) this.known.clear()
    this.known.set(asked, blinded)
    return blinded
  }

  /** `place` says where it belongs: a row put somewhere else does not open. */
  seal(value: unknown, place: string): Bytes {
    this.check()
    const nonce = crypto.getRandomValues(new Uint8Array(NONCE))
    const sealed = xchacha20poly1305(this.rows, nonce, utf8(place)).encrypt(utf8(JSON.stringify(value)))
    const whole = new Uint8Array(NONCE + sealed.length)
    whole.set(nonce)
    whole.set(sealed, NONCE)
    return whole
  }

  open<T>(sealed: Uint8Array, place: string): T {
    this.check()
    let plain: Uint8Array
    try {
      plain = xchacha20poly1305(this.rows, sealed.subarray(0, NONCE), utf8(place)).decrypt(sealed.subarray(NONCE))
    } catch {
      throw new Problem('storage_damaged', `Something in ${place.split('|')[0]} cannot be opened`)
    }
    return JSON.parse(text.decode(plain)) as T
  }

  /** Nothing can be opened any more: the person is away, or another has come. */
  forget(): void {
    this.gone = true
    this.rows.fill(0)
    this.media.fill(0)
    this.names.destroy()
    this.known.clear()
  }

  private check(): void {
    if (this.gone) throw new Problem('locked', 'This account is locked')
  }
}
