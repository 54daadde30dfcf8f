// "Save a copy": everything sealed on this phone as one file. "Deliver a saved copy": such a file to the server's doors.
import { asProblem, Problem } from '../api/problem'
import { base64url } from '../bytes'
import { database } from '../db/account'
import type { Item, Parcel } from '../db/schema'
import { MOST_ITEMS, postItems } from './doors'
import { upload } from '../sync/tus'
import { TAG } from '../captures/locker'
import { parcelTag } from './parcel'

export interface Copy {
  name: string
  file: Blob
  items: number
  /** Waits too, and could not be sealed yet. */
  unsealed: number
}

interface Capture extends Parcel {
  data: string
  announce: string | null
}

/** Null when nothing waits. */
export async function saveCopy(): Promise<Copy | null> {
  const db = database()
  const [items, waiting, captures, orphans] = await Promise.all([
    db.getAll('items'), db.getAll('outbox'), db.getAll('captures'), db.getAll('parcels'),
  ])
  const unsent = captures.filter(({ state }) => state !== 'draft' && state !== 'acknowledged')
  const sealed: { parcel: Parcel; command: string | null }[] = [
    ...unsent.flatMap(({ parcel, command }) => (parcel ? [{ parcel, command }] : [])),
    ...orphans.map(({ command, upload: _u, offset: _o, error: _e, ...parcel }) => ({ parcel: parcel as Parcel, command })),
  ]
  const known = new Set(items.map(({ id }) => id))
  const commands = items.map(({ at: _at, refused: _refused, ...item }): Item => item)
  const lines: string[] = commands.map((item) => JSON.stringify(item))
  for (const { parcel, command } of sealed) {
    const cipher = await db.get('blobs', parcel.id)
    if (!cipher) continue
    const capture: Capture = { ...parcel, data: standard(cipher), announce: command && known.has(command) ? command : null }
    lines.push(JSON.stringify(capture))
  }
  const unsealed = waiting.filter(({ id, done }) => !done && !known.has(id)).length + unsent.filter(({ parcel }) => !parcel).length
  if (lines.length === 0) return unsealed ? { name: '', file: new Blob(), items: 0, unsealed } : null
  const first = commands[0] ?? sealed[0]!.parcel
  const head = {
    kilele_outbox: 1, made_at: Date.now(), org: first.org, member: first.member,
    items: commands.length, captures: lines.length - commands.length,
  }
  const day = new Date().toISOString().slice(0, 10).replaceAll('-', '')
  const name = `kilele-outbox-${day}-${base64url(crypto.getRandomValues(new Uint8Array(3)))}.kilele`
  return { name, file: new Blob([[JSON.stringify(head), ...lines].join('\n'), '\n'], { type: 'application/octet-stream' }), items: lines.length, unsealed }
}

export interface Handed {
  commands: number
  photos: number
  /** Said no to by the server, which keeps them. */
  refused: number
  failed: number
}

/** Twice is harmless: the server knows each command and each picture by its id. */
export async function deliverCopy(file: Blob): Promise<Handed> {
  const [first, ...rest] = (await file.text()).split('\n').filter((line) => line.trim())
  const parsed = rest.map(read)
  const head = read(first ?? '') as { kilele_outbox?: number } | null
  if (head?.kilele_outbox !== 1 || parsed.some((one) => one === null)) throw new Problem('not_a_copy', 'Not a saved copy')
  const lines = parsed as (Item | Capture)[]
  const handed: Handed = { commands: 0, photos: 0, refused: 0, failed: 0 }
  const commands = lines.filter((one): one is Item => one.what === 'command')
  for (let at = 0; at < commands.length; ) {
    const results = await postItems(commands.slice(at, at + MOST_ITEMS))
    if (results.length === 0) throw new Problem('unavailable', 'The server took nothing')
    for (const result of results) {
      const final = result.status === 'duplicate' ? (result.first ?? result) : result
      if (final.status === 'rejected') handed.refused++
      else handed.commands++
    }
    at += results.length
  }
  for (const capture of lines.filter((one): one is Capture => one.what === 'capture')) {
    try {
      await hand(capture)
      handed.photos++
    } catch (error) {
      const problem = asProblem(error)
      if (!problem.status) throw problem
      handed.failed++
    }
  }
  return handed
}

/** In the name of whoever is signed in here: the seal says whose it is. */
async function hand({ data, announce: _announce, ...parcel }: Capture): Promise<void> {
  const bytes = Uint8Array.from(atob(data), (char) => char.charCodeAt(0))
  const { id, sha256 } = parcel
  await upload({ id, sha256, bytes: parcel.bytes + TAG, sealed: parcelTag(parcel), upload: null }, bytes.buffer, async () => undefined)
}

function standard(bytes: ArrayBuffer): string {
  const text = base64url(bytes).replace(/-/g, '+').replace(/_/g, '/')
  return text + '='.repeat((4 - (text.length % 4)) % 4)
}

function read(line: string): unknown {
  try {
    const value = JSON.parse(line) as unknown
    return typeof value === 'object' ? value : null
  } catch {
    return null
  }
}
