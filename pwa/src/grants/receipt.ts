// The code on a receipt: what it says, and whether the records of this phone say the same. It proves nothing by itself,
// it names the signature that does.
import type { Acknowledgement, Grant } from '../api/grants'
import type { Id, Signature } from '../api/records'
import { base64url, fromBase64url, utf8 } from '../bytes'
import { DAY } from '../clock'

const PREFIX = 'KILELE-R1.'
const HEX = 32

export interface Code {
  /** The grant's number, or its id while it has none. */
  g: string
  /** The part's number. */
  t: number
  /** Minor units. */
  a: number
  c: string
  /** When it was received, by the device. */
  d: number
  /** The acknowledgement. */
  k: Id
  /** The beginning of the signature's sha256. */
  h: string
}

export function codeOf(grant: Grant, received: Acknowledgement, signature: Pick<Signature, 'sha256'> | null, currency: string): string {
  const code: Code = {
    g: grant.number ?? grant.id,
    t: grant.tranches.find(({ id }) => id === received.tranche)?.number ?? 0,
    a: received.amount_minor,
    c: currency,
    d: received.received_at,
    k: received.id,
    h: signature?.sha256.slice(0, HEX) ?? '',
  }
  return PREFIX + base64url(utf8(JSON.stringify(code)))
}

/** Null when it is no such code. */
export function readCode(text: string): Code | null {
  const plain = text.replace(/\s/g, '')
  if (!plain.startsWith(PREFIX)) return null
  try {
    const code = JSON.parse(new TextDecoder().decode(fromBase64url(plain.slice(PREFIX.length)))) as Code
    const whole = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
    const fits =
      [code.g, code.c, code.k, code.h].every((one) => typeof one === 'string') && [code.t, code.a, code.d].every(whole)
    return fits && /^[0-9a-f]{32}$/.test(code.h) ? code : null
  } catch {
    return null
  }
}

export type Verdict = 'genuine' | 'unknown' | 'unfit'
export type Differing = 'grant' | 'part' | 'amount' | 'currency' | 'date' | 'signature'
export interface Kept {
  grant: Grant
  acknowledgement: Acknowledgement
  signature: Pick<Signature, 'sha256'> | null
}

/** Against what this phone holds of the acknowledgement that the code names. */
export function compare(code: Code, kept: Kept | null, currency: string): { verdict: Verdict; differing: Differing[] } {
  if (!kept?.signature) return { verdict: 'unknown', differing: [] }
  const { grant, acknowledgement, signature } = kept
  const number = grant.tranches.find(({ id }) => id === acknowledgement.tranche)?.number
  const tests: [Differing, boolean][] = [
    ['grant', code.g === grant.id || code.g === grant.number],
    ['part', code.t === number],
    ['amount', code.a === acknowledgement.amount_minor],
    ['currency', code.c === currency],
    ['date', Math.abs(code.d - acknowledgement.received_at) < DAY],
    ['signature', code.h === signature.sha256.slice(0, HEX)],
  ]
  const differing = tests.filter(([, same]) => !same).map(([what]) => what)
  return { verdict: differing.length ? 'unfit' : 'genuine', differing }
}
