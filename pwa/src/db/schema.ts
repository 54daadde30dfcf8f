// Shapes of what a phone keeps: one database per account.
import type { DBSchema } from 'idb'
import type {
  Command,
  Evidence,
  Id,
  Kind,
  Millis,
  Receipt,
  Records,
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
  sort?: string
}

/** Who gave a command and where: what its reducer needs beside the body. */
export interface Author {
  member: Id
  device: Id
  /** The place of the household concerned. */
  place: Id | null
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
}

export interface Draft {
  id: Id
  kind: 'visit' | 'household'
  /** The record it will become. */
  subject: Id
  household: Id | null
  value: unknown
  captures: Id[]
  created_at: Millis
  updated_at: Millis
}

export interface Meta {
  lastSyncAt: Millis
  clockOffset: Millis
  session: SessionView
  pushEndpoint: string | null
  pushWanted: boolean
}

export interface AccountSchema extends DBSchema {
  records: {
    key: [Kind, Id]
    value: Row
    indexes: { feed: Id; subject: [Kind, Id]; state: [Kind, string]; at: [Kind, number]; sort: string }
  }
  outbox: { key: number; value: Waiting; indexes: { id: Id; records: string } }
  captures: { key: Id; value: CaptureMeta; indexes: { subject: Id; state: string; draft: Id } }
  blobs: { key: Id; value: ArrayBuffer }
  drafts: { key: Id; value: Draft }
  cursors: { key: Id; value: number }
  attention: { key: Id; value: Attention; indexes: { records: string } }
  meta: { key: keyof Meta; value: Meta[keyof Meta] }
}

export type StoreName = 'records' | 'outbox' | 'captures' | 'blobs' | 'drafts' | 'cursors' | 'attention' | 'meta'

/** Wraps a record with what the indexes need. */
export function row(kind: Kind, id: Id, feed: Id, body: Records[Kind] | null): Row {
  return { kind, id, feed, body, ...(body ? indexed(kind, body) : {}) }
}

function indexed(kind: Kind, body: Records[Kind]): Partial<Row> {
  switch (kind) {
    case 'household': {
      const household = body as Records['household']
      return { at: household.last_visit_at ?? 0, sort: plainText(household.head_name) }
    }
    case 'visit': {
      const visit = body as Records['visit']
      const at = visit.planned_at ?? visit.started_at ?? visit.created_at
      return { subject: visit.household, state: visit.state, at }
    }
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
