// Names every record, command and answer of the wire contract, as the API shows them.
import type { GrantCommands, GrantRecords, Milestone, Text } from './grants'
import type { TrainingCommands, TrainingRecords } from './trainings'

export type Id = string
/** Milliseconds since 1970, UTC. */
export type Millis = number
/** `YYYY-MM-DD`. */
export type Day = string
export type Language = 'en' | 'sw'
export type Role =
  | 'mentor'
  | 'supervisor'
  | 'evaluator'
  | 'programme_manager'
  | 'approver'
  | 'org_admin'
  | 'oversight'
  | 'beneficiary'
  | 'custom'
export type Sex = 'female' | 'male'

export interface Organisation {
  id: Id
  code: string
  name: string
  locale: Language
  currency: string
  time_zone: string
  demo: boolean
  /** ministry, office, agency, ngo or commission, when somebody said. */
  kind?: string
  /** A record of an older server does not say. */
  is_pilot?: boolean
  /** From which day on it works in earnest: YYYY-MM-DD. */
  go_live?: string
  topics: string[]
  required_slots: string[]
  /** Phones send the camera's own file. A record of an older server does not say. */
  keep_originals?: boolean
  /** Modules that are on. */
  modules?: string[]
  /** How it calls itself; else its name. */
  display_name?: string
  letterhead?: string
  /** A `data:` address. */
  logo?: string
}

/** An organisation that this person may go to. */
export interface Membership {
  member: Id
  organisation: Id
  name: string
  code: string
  role: Role
  main: boolean
  since: Millis
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
  /** Which of the organisation's own roles. */
  custom_role?: Id
  /** Whose account it is, of a beneficiary. */
  household?: Id
}

export interface Statement {
  id: Id
  key: string
  version: number
  language: Language
  /** Holds {household}, {mentor}, {date} and {organisation}; of grants also {group}, {programme} and {amount}. */
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

/** One step of a household's consents: appended, never changed. */
export interface ConsentStep {
  /** The consent; of a withdrawal, the one that it ends. */
  id: Id
  event: 'given' | 'withdrawn'
  purpose: string
  version: number | null
  language: Language | null
  signature: Id | null
  /** The picture of a thumb mark, where nobody signed. */
  picture: Id | null
  by: Id
  at: Millis
  reason: string
}

/** A household that was found to be this one, and what that changed here. */
export interface Merged {
  household: Id
  by: Id
  at: Millis
  fields: Record<string, { was?: unknown; now?: unknown }>
}

export interface Household extends HouseholdFields {
  id: Id
  number: string | null
  photo: Id | null
  photo_placeholder: string | null
  consent_at: Millis | null
  /** Oldest first; none when there are none. */
  consents?: ConsentStep[]
  /** The household that this one is, after all. */
  merged_into?: Id
  merges?: Merged[]
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

export type SubjectKind = 'visit' | 'household' | 'enrolment' | 'survey' | 'grant' | 'acknowledgement' | 'utilisation'
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
  /** Pixels of the photo as it came, when it was larger than what is shown. */
  original_width?: number
  original_height?: number
  /** 0 bright … 1 dark, and how sharp (small is blurred): hints to a person, once the server has looked. */
  darkness?: number | null
  sharpness?: number | null
  /** An earlier photo of the village that looks the same: a hint to a person. */
  looks_like?: { evidence: Id; household?: Id | null; captured_at: Millis; bits: number } | null
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
  /** Of a grant and its receipts: for which household, where that was said. */
  household?: Id
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
  /** Of a training the fields are its households. */
  record_kind: 'household' | 'training'
  record: Id
  field: string
  base: unknown
  theirs: unknown
  mine: unknown
  by: Id
  at: Millis
  device: Id
  device_name: string | null
  /** Who set the server's value, when and where; none when it stands since the registration. */
  theirs_by: Id | null
  theirs_at: Millis | null
  theirs_device_name: string | null
  state: 'open' | 'settled'
  settled_by: Id | null
  revision: number
}

export type InboxKind =
  | 'visit_submitted'
  | 'visit_returned'
  | 'visit_approved'
  | 'visit_planned'
  | 'visit_tomorrow'
  | 'visit_today'
  | 'visit_overdue'
  | 'approvals_waiting'
  | 'evidence_quarantined'
  | 'conflict_opened'
  | 'enrolment_approved'
  | 'enrolment_rejected'
  | 'enrolment_waitlisted'
  | 'enrolment_to_verify'
  | 'enrolment_handed_over'
  | 'consent_withdrawn'
  | 'grant_submitted'
  | 'grant_returned'
  | 'grant_recommended'
  | 'grant_approved'
  | 'grant_to_decide'
  | 'grant_rejected'
  | 'grant_released'
  | 'grant_acknowledged'
  | 'grant_flagged'
  | 'grant_use_due'
  | 'grant_use_submitted'
  | 'grant_use_returned'
  | 'grant_verified'
  | 'grant_cancelled'
  | 'grant_expired'
  | 'own_grant_submitted'
  | 'own_grant_returned'
  | 'own_grant_recommended'
  | 'own_grant_approved'
  | 'own_grant_rejected'
  | 'own_grant_released'
  | 'own_grant_received'
  | 'own_grant_use_due'
  | 'own_grant_verified'
  | 'own_grant_cancelled'
  | 'own_grant_expired'
  | 'training_tomorrow'
  | 'training_today'
  | 'training_moved'
  | 'training_cancelled'
  | 'certificate_expiring'
  | 'tls_expiring'
  | 'device_silent'
  | 'backup_failed'
  | 'colleague_unread'

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
    grant_number?: string
    /** The household or group a grant is for. */
    who?: string
    amount_minor?: number
    /** Of several that wait. */
    count?: number
    due_on?: string
    module_number?: number
    module_title?: Text
    venue?: string
    starts_at?: Millis
    certificate?: string
    expires_on?: Day
    expires_at?: Millis
  }
  created_at: Millis
  read_at: Millis | null
  revision: number
}

export type ProgrammeStatus = 'draft' | 'open' | 'closed'

export interface Programme {
  id: Id
  code: string
  name: string
  kind: string
  category: string
  status: ProgrammeStatus
  /** By which households are assessed. */
  instrument: string
  version: number
  /** By which households are assessed for graduation; none: by nothing, a person decides. */
  graduation_instrument?: string
  graduation_version?: number
  /** Its area; none is everywhere. */
  places: Id[]
  target: number | null
  budget_minor: number | null
  starts_on: Day | null
  ends_on: Day | null
  updated_at: Millis
  revision: number
}

export interface Cycle {
  id: Id
  programme: Id
  code: string
  office: string
  associate: Id | null
  mentors: Id[]
  starts_on: Day | null
  ends_on: Day | null
  updated_at: Millis
  revision: number
}

/** Whole numbers, yes or no, or lists of options, by the key of the question. */
export type Answers = Record<string, number | boolean | string[] | null>
export type Qualification = 'qualified' | 'needs_review' | 'not_qualified'

export type Stage = 'baseline' | 'midterm' | 'graduation'

export interface Assessment {
  id: Id
  household: Id
  place: Id
  programme: Id
  /** `baseline` when a record of an older server does not say. */
  stage?: Stage
  instrument: string
  version: number
  answers: Answers
  consent: boolean
  note: string
  /** Hundredths of a point. */
  score: number
  outcome: string
  failed: string[]
  factors: { key: string; points: number; weight: number }[]
  /** None until the server has looked. */
  qualification: Qualification | null
  blocks: string[]
  phone_score: number | null
  assessed_by: Id
  assessed_at: Millis
  created_at: Millis
  updated_at: Millis
  revision: number
}

export type EnrolmentState =
  | 'applied'
  | 'screening'
  | 'verification'
  | 'qualified'
  | 'approved'
  | 'active'
  | 'graduated'
  | 'waitlisted'
  | 'rejected'
  | 'withdrawn'
  | 'suspended'
  | 'dropped_out'
  | 'transferred'
export type EnrolmentMove =
  | 'screen'
  | 'send_to_verify'
  | 'verify'
  | 'approve'
  | 'activate'
  | 'graduate'
  | 'waitlist'
  | 'recall'
  | 'reject'
  | 'withdraw'
  | 'suspend'
  | 'resume'
  | 'drop_out'
  | 'transfer'
  | 'take_over'

export interface Position {
  lat: number | null
  lon: number | null
  accuracy_m: number | null
  no_gps_reason: string | null
}

export interface Enrolment {
  id: Id
  number: string | null
  household: Id
  place: Id
  programme: Id
  cycle: Id | null
  mentor: Id
  assessment: Id
  assessed_by: Id
  state: EnrolmentState
  verified_by: Id | null
  verified_at: Millis | null
  position: Position | null
  approved_by: Id | null
  approved_at: Millis | null
  to_mentor: Id | null
  history: { event: EnrolmentMove | null; state: EnrolmentState; by: Id; at: Millis; reason: string }[]
  /** The ladder, from the activation on; a record of an older server does not say. */
  milestones?: Milestone[]
  created_at: Millis
  updated_at: Millis
  revision: number
}

/** Every kind of record that a feed carries. */
export interface Records extends GrantRecords, TrainingRecords {
  organisation: Organisation
  place: Place
  person: Person
  statement: Statement
  programme: Programme
  cycle: Cycle
  household: Household
  assessment: Assessment
  enrolment: Enrolment
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
export interface Commands extends GrantCommands, TrainingCommands {
  'household.register': { household: HouseholdFields & { id: Id }; evidence: Capture[] }
  'household.update': { id: Id; changes: Changes<HouseholdFields> }
  'household.merge': {
    keep: Id
    drop: Id
    revision_keep: number
    revision_drop: number
    choose: Record<string, 'keep' | 'drop'>
  }
  'household.unmerge': { id: Id }
  'household.move': { id: Id; revision: number; place: Id; reason: string }
  'consent.give': {
    id: Id
    household: Id
    purpose: string
    evidence: Capture[]
    signature: SignedRecord | null
    /** Of a thumb mark: which text was read out. */
    version: number | null
    language: Language | null
  }
  'consent.withdraw': { household: Id; reason: string }
  'visit.plan': { id: Id; household: Id; mentor: Id; kind: VisitKind; planned_at: Millis }
  'visit.start': { id: Id; started_at: Millis }
  'visit.submit': VisitFields & { id: Id; household: Id; evidence: Capture[]; signature: SignedRecord | null }
  'visit.cancel': { id: Id; reason: string }
  'visit.miss': { id: Id; reason: string }
  'visit.approve': { id: Id; revision: number }
  'visit.return': { id: Id; revision: number; note: string }
  'assessment.record': Pick<
    Assessment,
    'id' | 'household' | 'programme' | 'stage' | 'instrument' | 'version' | 'answers' | 'consent' | 'note' | 'score' | 'outcome'
  >
  'enrolment.apply': { id: Id; household: Id; programme: Id; assessment: Id; cycle: Id | null }
  'enrolment.move': {
    id: Id
    revision: number
    event: EnrolmentMove
    reason: string
    mentor: Id | null
    position: Position | null
    evidence: Capture[]
  }
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
  stats?: Stats
  lost?: Lost[]
}

/** How this phone is doing, for those who look after it. */
export interface Stats {
  captures_waiting: number
  records_waiting: number
  storage_bytes: number
  version: string
  storage_used: number | null
  storage_quota: number | null
  persisted: boolean | null
  oldest_waiting_at: Millis | null
  clock_offset: number | null
}

/** A database that vanished from this phone, and what it held by the names that are still known. */
export interface Lost {
  id: Id
  device?: Id
  noticed_at: Millis
  last_sync_at: Millis | null
  records: number
  captures: number
  drafts: number
  items: { kind: 'record' | 'capture' | 'draft'; what: string; at?: Millis }[]
  /** Names that were sealed to the server while they were known. */
  sealed: SealedNames[]
}

/** Names of what waited, which only the server opens. */
export interface SealedNames {
  key: string
  device: Id
  id: string
  enc: string
  sealed: string
}

export interface SyncAnswer {
  results: Result[]
  feeds: Record<string, { entries: Entry[]; revision: number; more: boolean }>
  gone: string[]
  /** Feeds that begin anew: the server was restored from a backup. */
  reset: string[]
  acknowledged: Receipt[]
  want: Id[]
  unknown: Id[]
  server_time: Millis
  min_schema: number
  code: 'update_required' | null
  outbox_key: OutboxKey
  more: boolean
}

/** What an outbox is sealed to. */
export interface OutboxKey {
  id: string
  public: string
}

/** Session and sync answers carry it. */
export interface Announces {
  outbox_key?: OutboxKey
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
  /** The name of the organisation's own role. */
  role_name?: string
  /** None where there is one organisation. A session of an older server does not say. */
  memberships?: Membership[]
  device: Id
  access_expires_at: Millis
  server_time: Millis
  outbox_key: OutboxKey
  refresh_challenge?: string
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
  /** What people call the identity provider by which they may sign in. */
  identity_provider?: string
}
