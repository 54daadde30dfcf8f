// Turns ink into a signed record: one canonical text, its hash, and this phone's own signature over it.
import { Problem } from '../api/problem'
import type { Id, SignedRecord, SignerRole, Statement, SubjectKind } from '../api/records'
import { sha256, utf8 } from '../bytes'
import { now } from '../clock'
import { deviceId, keyId, signByDevice } from '../device'
import { newId } from '../ids'

/** x and y in canvas CSS px × 10, t in ms since the first point, p 0–255. */
export type Point = [x: number, y: number, t: number, p: number]
export type Stroke = Point[]

const FEWEST_POINTS = 8
const NARROWEST = 300
const FLATTEST = 150

/** The same rule as the server's: no strokes, too few points, or ink too small to be a name or a mark. */
export function isTrivial(strokes: Stroke[]): boolean {
  const points = strokes.flat()
  if (points.length < FEWEST_POINTS) return true
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity]
  for (const [x, y] of points) {
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  return right - left < NARROWEST || bottom - top < FLATTEST
}

interface PadPoint {
  x: number
  y: number
  pressure: number
  time: number
}

/** From signature_pad's `toData()`. */
export function strokesOf(pad: { toData(): { points: PadPoint[] }[] }): Stroke[] {
  const groups = pad.toData().filter(({ points }) => points.length > 0)
  const start = groups[0]?.points[0]?.time ?? 0
  return groups.map(({ points }) =>
    points.map(({ x, y, time, pressure }): Point => [
      Math.round(x * 10),
      Math.round(y * 10),
      Math.max(0, Math.round(time - start)),
      Math.max(0, Math.min(255, Math.round((pressure || 0.5) * 255))),
    ]),
  )
}

/** What statements speak of; which of it, each says itself. */
export type Spoken = Partial<Record<'household' | 'group' | 'programme' | 'amount' | 'mentor' | 'date' | 'organisation', string>>

/** The statement as the signer reads it. */
export function signatureText(statement: Pick<Statement, 'text'>, values: Spoken): string {
  return statement.text.replace(/\{(\w+)\}/g, (hole, name: keyof Spoken) => values[name] ?? hole)
}

export interface ToSign {
  id?: Id
  subject_kind: SubjectKind
  subject: Id
  statement: Pick<Statement, 'key' | 'version' | 'language'>
  /** What `signatureText` gave and the screen showed. */
  text: string
  signer_name: string
  signer_role: SignerRole
  /** Where several households sign one record: for which. */
  household?: Id | null
  witness?: string | null
  signed_at?: number
  width: number
  height: number
  strokes: Stroke[]
}

/** The canonical text: exactly these keys in this order, without spaces; `household` only where it is said. */
export function canonical(what: ToSign & { id: Id; signed_at: number }, device: Id): string {
  return JSON.stringify({
    v: 1,
    id: what.id,
    subject_kind: what.subject_kind,
    subject: what.subject,
    template: what.statement.key,
    version: what.statement.version,
    language: what.statement.language,
    statement: what.text,
    signer_name: what.signer_name,
    signer_role: what.signer_role,
    ...(what.household ? { household: what.household } : {}),
    witness: what.witness ?? null,
    signed_at: what.signed_at,
    width: Math.round(what.width),
    height: Math.round(what.height),
    strokes: what.strokes,
    device,
  })
}

export async function sign(what: ToSign): Promise<SignedRecord> {
  if (isTrivial(what.strokes)) throw new Problem('signature_empty', 'The signature is too small')
  if (!globalThis.crypto?.subtle) throw new Problem('insecure_context', 'Signing needs a secure (https) address')
  const complete = { ...what, id: what.id ?? newId(), signed_at: what.signed_at ?? now() }
  const record = canonical(complete, await deviceId())
  const [hash, signature, key] = await Promise.all([sha256(utf8(record)), signByDevice(record), keyId()])
  return { record, sha256: hash, key_id: signature && key, device_signature: signature }
}
