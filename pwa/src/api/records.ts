// Names every record, command and answer of the wire contract, as the API shows them.

export type Id = string
/** Milliseconds since 1970, UTC. */
export type Millis = number
/** `YYYY-MM-DD`. */
export type Day = string
export type Language = 'en' | 'sw'
export type Role = 'mentor' | 'supervisor' | 'org_admin'
export type Sex = 'female' | 'male'

export interface Organisation {
  id: Id
  code: string
  name: string
  locale: Language
  currency: string
  time_zone: string
  demo: boolean
  topics: string[]
  required_slots: string[]
}

export interface Place {
  id: Id
  parent: Id | null
  /** 0 county, 1 sub-county, 2 village. */
  level: number
  level_name: string
  code: string
  name: string
  lat: number | null
  lon: number | null
}

export interface Person {
  id: Id
  name: string
  role: Role
  supervisor: Id | null
  places: Id[]
  active: boolean
}

export interface Statement {
  id: Id
  key: string
  version: number
  language: Language
  /** Holds {household}, {mentor}, {date} and {organisation}. */
  text: string
}

export interface HouseholdMember {
  id: Id
  name: string
  sex: Sex | null
  birth_date: Day | null
  relationship: 'head' | 'spouse' | 'child' | 'parent' | 'sibling' | 'other'
  participant: boolean
}

/** What a person may type about a household. */
export interface HouseholdFields {
  place: Id
  head_name: string
  head_sex: Sex | null
  head_birth_date: Day | null
  national_id: string | null
  phone: string | null
  members: HouseholdMember[]
  lat: number | null
  lon: number | null
  accuracy_m: number | null
  monthly_income_minor: number | null
  electricity: boolean | null
  clean_water: boolean | null
  disability: boolean | null
  notes: string | null
}

export interface Household extends HouseholdFields {
  id: Id
  number: string | null
  photo: Id | null
  photo_placeholder: string | null
  consent_at: Millis | null
  last_visit_at: Millis | null
  registered_by: Id
  registered_at: Millis
  updated_at: Millis
  revision: number
}

export type VisitState = 'planned' | 'in_progress' | 'submitted' | 'approved' | 'returned' | 'cancelled' | 'missed'
export type VisitKind = 'scheduled' | 'follow_up' | 'emergency' | 'on_site'
export type BusinessStatus = 'thriving' | 'stable' | 'struggling' | 'closed' | 'not_started'

/** What a mentor writes down about a visit. */
export interface VisitFields {
  kind: VisitKind
  planned_at: Millis | null
  started_at: Millis | null
  ended_at: Millis | null
  topics: string[]
  observations: string
  recommendations: string
  action_items: string
  business_status: BusinessStatus | null
  income_minor: number | null
  support_needed: string
  lat: number | null
  lon: number | null
  accuracy_m: number | null
  no_gps_reason: string | null
}

export interface Visit extends VisitFields {
  id: Id
  number: string | null
  household: Id
  place: Id
  mentor: Id
  state: VisitState
  note: string | null
  decided_by: Id | null
  decided_at: Millis | null
  round: number
  submitted_at: Millis | null
  created_at: Millis
  updated_at: Millis
  revision: number
}

export type SubjectKind = 'visit' | 'household'
export type Slot = 'front' | 'back' | 'subject' | 'site' | 'signature' | (string & {})

export interface Evidence {
  id: Id
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
  device: Id
  captured_by: Id
  state: 'announced' | 'received' | 'ready' | 'quarantined'
  reason: string | null
  received_at: Millis | null
  supersedes: Id | null
  superseded_by: Id | null
  placeholder: string | null
  /** 0 bright … 1 dark, and how sharp (small is blurred): hints to a person, once the server has looked. */
  darkness?: number | null
  sharpness?: number | null
  updated_at: Millis
  revision: number
}

export type SignerRole = 'beneficiary' | 'witness' | 'mentor'

export interface Signature {
  id: Id
  subject_kind: SubjectKind
  subject: Id
  signer_name: string
  signer_role: SignerRole
  template: string
  version: number
  language: Language
  statement: string
  signed_at: Millis
  received_at: Millis | null
  sha256: string
  sequence: number | null
  server_signature: string | null
  superseded_by: Id | null
  revision: number
}

export interface Conflict {
  id: Id
  record_kind: 'household'
  record: Id
  field: string
  base: unknown
  theirs: unknown
  mine: unknown
  by: Id
  at: Millis
  device: Id
  state: 'open' | 'settled'
  settled_by: Id | null
  revision: number
}

export type InboxKind =
  | 'visit_submitted'
  | 'visit_returned'
  | 'visit_approved'
  | 'visit_planned'
  | 'evidence_quarantined'
  | 'conflict_opened'

export interface Inbox {
  id: Id
  member: Id
  kind: InboxKind
  subject_kind: string
  subject: Id
  params: {
    household_name?: string
    note?: string
    by_name?: string
    visit_number?: string
    reason?: string
    slot?: string
  }
  created_at: Millis
  read_at: Millis | null
  revision: number
}

/** Every kind of record that a feed carries. */
export interface Records {
  organisation: Organisation
  place: Place
  person: Person
  statement: Statement
  household: Household
  visit: Visit
  evidence: Evidence
  signature: Signature
  conflict: Conflict
  inbox: Inbox
}
export type Kind = keyof Records

/** A photo as a command announces it; its bytes follow by upload. */
export interface Capture {
  id: Id
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
}

/** The exact text that was signed, and the phone's own signature over it. */
export interface SignedRecord {
  record: string
  sha256: string
  key_id: string | null
  device_signature: string | null
}

export type Changes<T> = { [K in keyof T]?: { was: T[K]; now: T[K] } }

/** Every command, by kind, with its body. */
export interface Commands {
  'household.register': { household: HouseholdFields & { id: Id }; evidence: Capture[] }
  'household.update': { id: Id; changes: Changes<HouseholdFields> }
  'visit.plan': { id: Id; household: Id; mentor: Id; kind: VisitKind; planned_at: Millis }
  'visit.start': { id: Id; started_at: Millis }
  'visit.submit': VisitFields & { id: Id; household: Id; evidence: Capture[]; signature: SignedRecord | null }
  'visit.cancel': { id: Id; reason: string }
  'visit.miss': { id: Id; reason: string }
  'visit.approve': { id: Id; revision: number }
  'visit.return': { id: Id; revision: number; note: string }
  'conflict.settle': { id: Id; choose: 'theirs' | 'mine'; theirs?: unknown }
  'inbox.read': { ids: Id[] }
}
export type CommandKind = keyof Commands

/** One change, as it is sent. */
export type Command = {
  [K in CommandKind]: { id: Id; kind: K; at: Millis; body: Commands[K] }
}[CommandKind]

export interface Result {
  id: Id
  status: 'applied' | 'duplicate' | 'conflict' | 'rejected'
  code?: string
  message?: string
  field?: string
  record?: { id: Id; revision: number }
  /** The first answer, when this one is a duplicate. */
  first?: Result
}

export interface Entry {
  kind: Kind
  id: Id
  deleted?: boolean
  body?: Records[Kind]
}

/** A photo the phone still holds. */
export interface Held {
  id: Id
  sha256: string
  bytes: number
  slot: Slot
  subject_kind: SubjectKind
  subject: Id
  captured_at: Millis
}

export interface Receipt {
  id: Id
  sha256: string
  bytes: number
  stored_at: Millis
}

export interface SyncRequest {
  device: Id
  schema: 1
  cursors: Record<string, number>
  have: Held[]
  commands: Command[]
  stats?: { captures_waiting: number; records_waiting: number; storage_bytes: number; version: string }
}

export interface SyncAnswer {
  results: Result[]
  feeds: Record<string, { entries: Entry[]; revision: number; more: boolean }>
  gone: string[]
  acknowledged: Receipt[]
  want: Id[]
  unknown: Id[]
  server_time: Millis
  min_schema: number
  more: boolean
}

export interface DeviceInfo {
  id: Id
  name: string
  public_key: string | null
}

export interface SessionView {
  account: { id: Id; login: string; name: string; locale: Language }
  member: Person
  organisation: Organisation
  capabilities: string[]
  device: Id
  access_expires_at: Millis
  server_time: Millis
}

/** GET /api/start: what a client may know before anyone signs in. */
export interface Start {
  version: string
  organisation: { name: string; code: string } | null
  setup_required: boolean
  demo_accounts: { login: string; password: string; role: Role; name: string }[]
  languages: Language[]
  vapid_public_key: string
  build: string
}
