// How each store looks on disk: what is sealed, under which blinded name, and the little that indexes see.
import { dayOf } from '../clock'
import type { Attention, CaptureMeta, Row, Spare, StoreName, Waiting } from './schema'
import type { Sealer } from './sealer'

/** A row as the disk has it. `b` is sealed; the rest is blinded, or says nothing about anyone. */
export interface Shelved {
  b: Uint8Array
  [name: string]: unknown
}

export interface Shelf {
  /** The stored row, and its key where the row does not hold it. */
  put(sealer: Sealer, value: never, key: never): [row: unknown, key?: IDBValidKey]
  get(sealer: Sealer, row: never): unknown
  key(sealer: Sealer, key: never): IDBValidKey
  /** What an index is asked for. */
  index?: Record<string, (sealer: Sealer, asked: never) => IDBValidKey>
  /** The key by which the app knows a value. */
  named(value: never): unknown
}


const nameOf = (sealer: Sealer, store: string, id: string) => sealer.blind(store, id)

const records: Shelf = {
  put(sealer, row: Row) {
    const { kind, id, feed, body, base, subject, state, at } = row
    const k = nameOf(sealer, kind, id)
    const kept = base === undefined ? { id, feed, body } : { id, feed, body, base }
    return [{
      kind, k,
      f: sealer.blind('feed', feed),
      ...(subject === undefined ? {} : { s: sealer.blind('subject', subject) }),
      ...(state === undefined ? {} : { t: sealer.blind('state', state) }),
      // The day of the last visit, for "not visited for a month": a number beside a name that nobody can read.
      ...(kind === 'household' ? { a: dayOf(at ?? 0) } : {}),
      b: sealer.seal(kept, `records|${kind}|${k}`),
    }]
  },
  get(sealer, { kind, k, b }: Shelved) {
    return { kind, ...sealer.open<object>(b, `records|${kind as string}|${k as string}`) }
  },
  key: (sealer, [kind, id]: [string, string]) => [kind, nameOf(sealer, kind, id)],
  index: {
    feed: (sealer, feed: string) => sealer.blind('feed', feed),
    subject: (sealer, [kind, id]: [string, string]) => [kind, sealer.blind('subject', id)],
    state: (sealer, [kind, state]: [string, string]) => [kind, sealer.blind('state', state)],
  },
  named: ({ kind, id }: Row) => [kind, id],
}

const outbox: Shelf = {
  put(sealer, { seq, ...waiting }: Waiting) {
    const id = nameOf(sealer, 'command', waiting.id)
    const records = waiting.records.map((key) => sealer.blind('touched', key))
    return [{ ...(seq === undefined ? {} : { seq }), id, records, b: sealer.seal(waiting, `outbox|${id}`) }]
  },
  get: (sealer, { seq, id, b }: Shelved) => ({ seq, ...sealer.open<object>(b, `outbox|${id as string}`) }),
  key: (_, seq: number) => seq,
  index: {
    id: (sealer, id: string) => nameOf(sealer, 'command', id),
    records: (sealer, key: string) => sealer.blind('touched', key),
  },
  named: ({ seq }: Waiting) => seq,
}

const captures: Shelf = {
  // How far the upload is stands open, and so does the parcel, which is sealed to the server: a locked phone sends it.
  put(sealer, { id, state, upload, offset, error, restarts, command, parcel, ...rest }: CaptureMeta) {
    const k = nameOf(sealer, 'capture', id)
    return [{
      k, state, upload, offset, error, restarts, command, parcel: parcel ?? null,
      subject: sealer.blind('subject', rest.subject),
      ...(rest.draft ? { draft: sealer.blind('draft', rest.draft) } : {}),
      b: sealer.seal({ id, ...rest }, `captures|${k}`),
    }]
  },
  get(sealer, { k, state, upload, offset, error, restarts, command, parcel, b }: Shelved) {
    return { ...sealer.open<object>(b, `captures|${k as string}`), state, upload, offset, error, restarts, command, parcel }
  },
  key: (sealer, id: string) => nameOf(sealer, 'capture', id),
  index: {
    subject: (sealer, id: string) => sealer.blind('subject', id),
    state: (_, state: string) => state,
    draft: (sealer, id: string) => sealer.blind('draft', id),
  },
  named: ({ id }: CaptureMeta) => id,
}

/** Values that nothing is asked of but their id. */
const whole = (store: 'drafts' | 'delivered', kind: string): Shelf => ({
  put(sealer, value: { id: string }) {
    const k = nameOf(sealer, kind, value.id)
    return [{ k, b: sealer.seal(value, `${store}|${k}`) }]
  },
  get: (sealer, { k, b }: Shelved) => sealer.open(b, `${store}|${k as string}`),
  key: (sealer, id: string) => nameOf(sealer, kind, id),
  named: ({ id }: { id: string }) => id,
})

/** The bytes are ciphertext already; the parcel is sealed to the server. */
const spares: Shelf = {
  put(sealer, { bytes, parcel, at, ...rest }: Spare) {
    const k = nameOf(sealer, 'capture', rest.id)
    return [{ k, bytes, parcel, at, b: sealer.seal(rest, `spares|${k}`) }]
  },
  get: (sealer, { k, bytes, parcel, at, b }: Shelved) => ({ ...sealer.open<object>(b, `spares|${k as string}`), bytes, parcel, at }),
  key: (sealer, id: string) => nameOf(sealer, 'capture', id),
  named: ({ id }: Spare) => id,
}

const attention: Shelf = {
  put(sealer, refused: Attention) {
    const k = nameOf(sealer, 'command', refused.id)
    const records = refused.records.map((key) => sealer.blind('touched', key))
    return [{ k, records, b: sealer.seal(refused, `attention|${k}`) }]
  },
  get: (sealer, { k, b }: Shelved) => sealer.open(b, `attention|${k as string}`),
  key: (sealer, id: string) => nameOf(sealer, 'command', id),
  index: { records: (sealer, key: string) => sealer.blind('touched', key) },
  named: ({ id }: Attention) => id,
}

/** Values under keys of their own: the key is sealed with the value. */
const pairs = (store: 'cursors' | 'meta', name: (sealer: Sealer, key: string) => string): Shelf => ({
  put(sealer, value: unknown, key: string) {
    const k = name(sealer, key)
    return [{ k, b: sealer.seal([key, value], `${store}|${k}`) }]
  },
  get: (sealer, { k, b }: Shelved) => sealer.open(b, `${store}|${k as string}`),
  key: name,
  named: ([key]: [string, unknown]) => key,
})

/** Ciphertext already, or sealed to the server: kept as it comes. */
const asItIs: Shelf = {
  put: (_, value: unknown, key?: IDBValidKey) => [value, key],
  get: (_, row: unknown) => row,
  key: (_, key: IDBValidKey) => key,
  named: ({ id }: { id: string }) => id,
}

export const PAIRS: ReadonlySet<StoreName> = new Set(['cursors', 'meta'])

export const SHELVES: Record<StoreName, Shelf> = {
  records,
  outbox,
  captures,
  drafts: whole('drafts', 'draft'),
  delivered: whole('delivered', 'command'),
  spares,
  attention,
  cursors: pairs('cursors', (sealer, key) => sealer.blind('feed', key)),
  meta: pairs('meta', (_, key) => key),
  blobs: asItIs,
  items: asItIs,
  parcels: asItIs,
  reserve: asItIs,
}
