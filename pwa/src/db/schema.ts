// Shapes of what a phone keeps, as the app sees them: one database per account. `shelves.ts` says how they look on disk.
import type { DBSchema } from 'idb'
import type {
  Command,
  Evidence,
  Id,
  Kind,
  Millis,
  Receipt,
  Records,
  SealedNames,
  SessionView,
  Slot,
  SubjectKind,
} from '../api/records'

/** A record as the person sees it; `base` is what the server last said, kept only while commands wait. */
export interface Row {
  kind: Kind
  id: Id
  feed: Id
  body: Records[Kind] | null
  base?: Records[Kind] | null
  // What the indexes look at, taken from the body.
  subject?: Id
  state?: string
  at?: Millis
}

/** Who gave a command and where: what its reducer needs beside the body. */
export interface Author {
  member: Id
  device: Id
  /** The place of the household concerned. */
  place: Id | null
  /** Of an application: by what, and for whom. */
  grant?: { policy: Records['policy']; households: Id[] }
}

export interface Waiting {
  seq?: number
  id: Id
  command: Command
  by: Author
  /** `kind:id` of every record it changes. */
  records: string[]
  captures: Id[]
  /** The form it came from, so that a refused command can be a form again. */
  draft: Draft | null
  size: number
  /** Answered with success; kept until a whole pull has brought what it did. */
  done: boolean
}

export interface Attention {
  id: Id
  kind: Command['kind']
  command: Command
  by: Author
  records: string[]
  captures: Id[]
  draft: Draft | null
  code: string
  message: string
  field: string | null
  at: Millis
}

export type CaptureState = 'draft' | 'queued' | 'uploading' | 'acknowledged' | 'failed'

export interface CaptureMeta {
  id: Id
  draft: Id | null
  /** The command that announces it. */
  command: Id | null
  subject_kind: SubjectKind
  subject: Id
  slot: Slot
  mime: string
  bytes: number
  sha256: string
  width: number
  height: number
  captured_at: Millis
  lat: number | null
  lon: number | null
  accuracy_m: number | null
  supersedes: Id | null
  state: CaptureState
  upload: string | null
  offset: number
  restarts: number
  receipt: Receipt | null
  error: string | null
  dark: boolean
  blurred: boolean
  /** The key to the picture's bytes on this phone, base64url; none where the browser has no cryptography. */
  secret?: string | null
  /** The same key sealed to the server, with what a locked phone must know to deliver the picture. */
  parcel?: Parcel | null
}

export interface Draft {
  id: Id
  /** `return`: why a visit goes back, half written; `policy`: changed by an administrator and not saved. */
  kind: 'policy' | 'visit' | 'household' | 'return' | 'assessment' | 'verification' | 'group' | 'survey' | 'grant' | 'acknowledgement' | 'utilisation' | 'consent' | 'training'
  /** The record it will become, or speaks of. */
  subject: Id
  household: Id | null
  value: unknown
  captures: Id[]
  created_at: Millis
  updated_at: Millis
}

/** A command sealed to the server: anybody may carry it, only the server can read it. */
export interface Item {
  v: 1
  what: 'command'
  /** Which of the server's keys it is sealed to. */
  key: string
  org: Id
  member: Id
  device: Id
  id: Id
  enc: string
  sealed: string
}

/** The key of one picture, sealed to the server. */
export interface Parcel extends Omit<Item, 'what'> {
  what: 'capture'
  /** Of the picture itself; its ciphertext is 16 bytes longer. */
  sha256: string
  bytes: number
}

/** A sealed command as it waits; `refused` once the server has said no. */
export interface WaitingItem extends Item {
  at: Millis
  refused?: string
}

/** A picture whose account's key is gone: it can still be delivered, and no longer be looked at. */
export interface WaitingParcel extends Parcel {
  command: Id | null
  upload: string | null
  offset: number
  error: string | null
}

/** A command that the server took at `at`, by its clock; see `sync/refill.ts`. */
export interface Delivered extends Waiting {
  at: Millis
}

/** The bytes of a picture that the server has stored, with what opens and delivers them. */
export interface Spare {
  id: Id
  bytes: ArrayBuffer
  secret: string | null
  parcel: Parcel | null
  at: Millis
}

export interface OutboxKey {
  id: string
  public: string
}

export interface Meta {
  lastSyncAt: Millis
  clockOffset: Millis
  session: SessionView
  pushEndpoint: string | null
  pushWanted: boolean
  /** Renews this person's session when someone else's is in the browser's cookies. */
  refreshToken: string
  /** A database of this person that vanished from this phone. */
  loss: { id: Id; device?: Id; noticed_at: Millis; records: number; captures: number; sealed?: SealedNames[]; reported?: boolean }
  /** The server's public key, to which commands and pictures are sealed. */
  outboxKey: OutboxKey
}

export interface AccountSchema extends DBSchema {
  records: {
    key: [Kind, Id]
    value: Row
    indexes: { feed: Id; subject: [Kind, Id]; state: [Kind, string]; at: [Kind, number] }
  }
  outbox: { key: number; value: Waiting; indexes: { id: Id; records: string } }
  captures: { key: Id; value: CaptureMeta; indexes: { subject: Id; state: string; draft: Id } }
  blobs: { key: Id; value: ArrayBuffer }
  drafts: { key: Id; value: Draft }
  cursors: { key: Id; value: number }
  attention: { key: Id; value: Attention; indexes: { records: string } }
  meta: { key: keyof Meta; value: Meta[keyof Meta] }
  /** Sealed to the server, for a phone that is locked. */
  items: { key: Id; value: WaitingItem }
  parcels: { key: Id; value: WaitingParcel }
  /** What the server has, and may lose. */
  delivered: { key: Id; value: Delivered }
  spares: { key: Id; value: Spare }
  /** Room for one more photo, held by bytes of no meaning. */
  reserve: { key: string; value: ArrayBuffer }
}

export type StoreName =
  | 'records' | 'outbox' | 'captures' | 'blobs' | 'drafts' | 'cursors' | 'attention' | 'meta' | 'items' | 'parcels'
  | 'reserve' | 'delivered' | 'spares'

/** Wraps a record with what the indexes need. */
export function row(kind: Kind, id: Id, feed: Id, body: Records[Kind] | null): Row {
  return { kind, id, feed, body, ...(body ? indexed(kind, body) : {}) }
}

function indexed(kind: Kind, body: Records[Kind]): Partial<Row> {
  switch (kind) {
    case 'household': {
      const { last_visit_at, merged_into } = body as Records['household']
      // Nobody waits for a visit of one that was merged into another.
      return merged_into ? {} : { at: last_visit_at ?? 0 }
    }
    case 'visit': {
      const visit = body as Records['visit']
      const at = visit.planned_at ?? visit.started_at ?? visit.created_at
      return { subject: visit.household, state: visit.state, at }
    }
    case 'assessment':
      return { subject: (body as Records['assessment']).household }
    case 'enrolment':
      return { subject: (body as Records['enrolment']).household, state: (body as Records['enrolment']).state }
    case 'group':
      return { subject: (body as Records['group']).programme, state: (body as Records['group']).state }
    case 'survey':
      return { subject: (body as Records['survey']).group, at: (body as Records['survey']).surveyed_at }
    case 'grant': {
      const grant = body as Records['grant']
      return { subject: grant.group ?? grant.household ?? '', state: grant.state, at: grant.submitted_at }
    }
    case 'acknowledgement':
      return { subject: (body as Records['acknowledgement']).grant }
    case 'evidence':
    case 'signature':
      return { subject: (body as Evidence).subject }
    case 'conflict':
      return { subject: (body as Records['conflict']).record, state: (body as Records['conflict']).state }
    case 'inbox':
      return { at: (body as Records['inbox']).created_at }
    default:
      return {}
  }
}

/** Lower case without accents, for finding and sorting. */
export function plainText(text: string): string {
  return text.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase().trim()
}
