// Names the records and commands of groups, milestones, grant policies and grants, as the API shows them.
import type { Capture, Day, Id, Millis, Position, SignedRecord } from './records'

/** In both languages of the product. */
export interface Text {
  en: string
  sw: string
}

export type MilestoneState = 'not_started' | 'in_progress' | 'completed' | 'skipped'
export type MilestoneMove = 'start' | 'complete' | 'skip' | 'reopen'

/** One rung of a household's ladder; part of its enrolment. What each is called, when it is due and which event completes
 * it stands in `instruments/milestones-1.json`. */
export interface Milestone {
  /** 1 … 12. */
  number: number
  state: MilestoneState
  at: Millis | null
  by: Id | null
  /** Why, when a person moved it by hand. */
  reason: string
  /** Which kind of record moved it; none by hand. */
  cause: string | null
  subject: Id | null
}

export type GroupRole = 'leader' | 'treasurer' | 'secretary' | 'member'
export type GroupType = 'crop' | 'retail' | 'service' | 'livestock' | 'skill'
export type Health = 'green' | 'yellow' | 'red'

export interface GroupMember {
  household: Id
  role: GroupRole
}

/** A business group of two or three households of one village. */
export interface Group {
  id: Id
  number: string | null
  /** The village; also the feed. */
  place: Id
  programme: Id
  name: string
  type: GroupType
  members: GroupMember[]
  /** Begins yellow; a survey says another. */
  health: Health
  health_note: string
  health_at: Millis
  health_by: Id
  state: 'active' | 'dissolved'
  /** Why it was dissolved. */
  reason: string
  mentor: Id
  formed_on: Day
  created_at: Millis
  updated_at: Millis
  revision: number
}

export type SurveyKind = 'progress' | 'performance' | 'final'

/** How a group's business does, seen at the place. `performance` opens the second grant, `final` ends the ladder. */
export interface SurveyFields {
  id: Id
  group: Id
  kind: SurveyKind
  operating: boolean
  income_minor: number
  expenses_minor: number
  savings_minor: number | null
  health: Health
  /** 0 … 100; needed for `performance` and `final`: ≥90 excellent, ≥70 good, ≥60 satisfactory, else poor. */
  score: number | null
  challenges: string
  next_steps: string
  position: Position
}

export interface Survey extends SurveyFields {
  place: Id
  surveyed_by: Id
  /** The device's time. */
  surveyed_at: Millis
  created_at: Millis
  revision: number
}

/** What is asked beside the size of the group, for the amount to be counted. */
export interface PolicyQuestion {
  key: string
  kind: 'whole' | 'choice'
  label: Text
  /** Of a whole number. */
  min: number | null
  max: number | null
  unit: 'percent' | 'money' | 'km' | null
  /** Of a choice. */
  options: { key: string; label: Text }[]
}

/** The first band that fits counts. Of a number: from `at_least` to before `below`; of a choice: one of `one_of`. */
export interface Band {
  at_least: number | null
  below: number | null
  one_of: string[]
  /** Ten-thousandths: 10,000 changes nothing, 12,000 is a fifth more. */
  by: number
}

export interface Factor {
  key: string
  label: Text
  /** `group_size` or the key of a question. */
  input: string
  bands: Band[]
  /** When no band fits, or the input is not there. */
  otherwise: number
}

/** What must have happened before. */
export interface PolicyNeeds {
  /** Key of the policy whose grant all applicants have had and acknowledged. */
  grant: string | null
  /** And its use verified. */
  utilised: boolean
  /** And acknowledged so many days ago. */
  days_since: number | null
  /** One of these; empty asks nothing. */
  health: Health[]
  /** Numbers of milestones that every household of the applicant has completed or skipped. */
  milestones: number[]
  /** The score of the latest performance survey. */
  rating_least: number | null
}

export interface PolicyFacts {
  programme: Id
  /** SB, PR …; unique in the programme. */
  key: string
  name: Text
  unit: 'household' | 'group' | 'either'
  base_minor: number
  questions: PolicyQuestion[]
  factors: Factor[]
  least_minor: number | null
  most_minor: number | null
  /** Amounts are rounded to the nearest of these, half up; 100 is whole shillings. */
  step_minor: number
  /** Projected income must cover the monthly expenses. */
  covers_expenses: boolean
  /** Start-up costs at most so many ten-thousandths of the amount; none asks nothing. */
  startup_most: number | null
  needs: PolicyNeeds
  /** Parts in per cent, together 100. */
  tranches: number[]
  /** The report on how it was used is due so many days after the first part was acknowledged. */
  utilisation_days: number
  /** An approved grant of which nothing was released ends after so many days. */
  expires_days: number
  /** What a programme manager may approve; none: nothing. */
  manager_limit_minor: number | null
  /** The review's score, 0 … 100, from which a grant can be recommended. */
  score_least: number
  active: boolean
}

/** A programme's rule for one kind of grant. Each change is a new version; grants keep the one they were made under. */
export interface Policy extends PolicyFacts {
  id: Id
  version: number
  updated_at: Millis
  revision: number
}

/** What a policy was when the grant was made. */
export interface KeptPolicy extends PolicyFacts {
  id: Id
  version: number
}

export type GrantState =
  | 'draft'
  | 'submitted'
  | 'in_review'
  | 'recommended'
  | 'approved'
  | 'disbursing'
  | 'disbursed'
  | 'utilised'
  | 'closed'
  | 'returned'
  | 'rejected'
  | 'cancelled'
  | 'expired'
/** `release`, `receive`, `undo`, `utilise`, `expire` follow from other commands and from time; the rest people say. */
export type GrantMove =
  | 'submit'
  | 'review'
  | 'recommend'
  | 'return'
  | 'approve'
  | 'reject'
  | 'cancel'
  | 'expire'
  | 'release'
  | 'receive'
  | 'undo'
  | 'utilise'
  | 'close'

export interface PlanItem {
  what: string
  quantity: number
  unit_minor: number
}

export interface BusinessPlan {
  description: string
  /** A month. */
  projected_income_minor: number
  monthly_expenses_minor: number
  startup_minor: number
  /** What the grant is for; together the amount asked for. */
  items: PlanItem[]
}

/** How the amount came about: base × each factor, rounded once, then held between least and most. */
export interface GrantAmount {
  base_minor: number
  factors: { key: string; by: number }[]
  raw_minor: number
  amount_minor: number
  clamped: 'least' | 'most' | null
}

export type TrancheState = 'scheduled' | 'released' | 'acknowledged' | 'disputed' | 'failed' | 'reversed'
export type TrancheMove = 'release' | 'acknowledge' | 'dispute' | 'uphold' | 'fail' | 'reverse'
export type Method = 'bank' | 'mobile_money' | 'cash' | 'cheque'

export interface Tranche {
  id: Id
  number: number
  amount_minor: number
  state: TrancheState
  method: Method | null
  reference: string
  released_by: Id | null
  released_on: Day | null
  released_at: Millis | null
  /** The acknowledgement that counted. */
  acknowledgement: Id | null
  acknowledged_by: Id | null
  acknowledged_at: Millis | null
  /** The latest word on it. */
  note: string
}

export type UtilisationState = 'due' | 'submitted' | 'returned' | 'verified'

export interface SpentItem {
  what: string
  amount_minor: number
  on: Day
}

export interface Utilisation {
  /** What receipt photos are about; none until it was submitted. */
  id: Id | null
  state: UtilisationState
  due_on: Day
  items: SpentItem[]
  spent_minor: number
  note: string
  submitted_by: Id | null
  submitted_at: Millis | null
  decided_by: Id | null
  decided_at: Millis | null
  decision_note: string
}

export interface GrantStep {
  event: GrantMove
  state: GrantState
  by: Id
  at: Millis
  reason: string
  /** Of a review. */
  score: number | null
}

export interface Grant {
  id: Id
  number: string | null
  /** The applicant's village; also the feed. */
  place: Id
  programme: Id
  policy: KeptPolicy
  /** Exactly one of these three is there. */
  household: Id | null
  group: Id | null
  savings_group: Id | null
  /** The households that apply: one, or the group's members at that time. */
  households: Id[]
  plan: BusinessPlan
  answers: Record<string, number | string>
  amount: GrantAmount
  /** What the phone had counted, when it was another. */
  phone_amount_minor: number | null
  note: string
  state: GrantState
  submitted_by: Id
  submitted_at: Millis
  reviewed_by: Id | null
  review_score: number | null
  approved_by: Id | null
  approved_at: Millis | null
  /** None before the approval. */
  tranches: Tranche[]
  /** None before anything was acknowledged. */
  utilisation: Utilisation | null
  history: GrantStep[]
  created_at: Millis
  updated_at: Millis
  revision: number
}

export type AcknowledgementFlag = 'not_released' | 'cancelled' | 'reversed' | 'other_amount' | 'twice' | 'disputed' | 'failed'

/** That money was received, with picture and signature. One that came too late or does not fit is kept, flagged and not
 * counted. */
export interface Acknowledgement {
  id: Id
  grant: Id
  tranche: Id
  place: Id
  amount_minor: number
  counted: boolean
  flag: AcknowledgementFlag | null
  note: string
  position: Position
  recorded_by: Id
  /** The device's time. */
  received_at: Millis
  created_at: Millis
  revision: number
}

export interface GrantRecords {
  group: Group
  survey: Survey
  policy: Policy
  grant: Grant
  acknowledgement: Acknowledgement
}

export interface GrantCommands {
  /** By hand: with a reason; to skip or reopen one is a supervisor's. */
  'milestone.move': { enrolment: Id; number: number; event: MilestoneMove; reason: string }
  'group.form': { id: Id; programme: Id; name: string; type: GroupType; members: GroupMember[]; formed_on: Day }
  'group.change': { id: Id; revision: number; name: string; type: GroupType; members: GroupMember[] }
  'group.dissolve': { id: Id; revision: number; reason: string }
  /** With at least one picture of the place (slot `site`). */
  'group.survey': SurveyFields & { evidence: Capture[] }
  /** New, or again after it was returned (then with `revision`). Each household signs, template `grant_application`. */
  'grant.submit': {
    id: Id
    revision: number | null
    policy: Id
    version: number
    household: Id | null
    group: Id | null
    plan: BusinessPlan
    answers: Record<string, number | string>
    /** What the phone counted. */
    amount_minor: number
    note: string
    signatures: SignedRecord[]
    evidence: Capture[]
  }
  'grant.move': {
    id: Id
    revision: number
    event: 'review' | 'recommend' | 'return' | 'approve' | 'reject' | 'cancel' | 'close'
    reason: string
    /** Of a recommendation. */
    score: number | null
    /** Of an approval: the amount that was looked at. */
    amount_minor: number | null
  }
  'grant.release': { id: Id; revision: number; tranche: Id; method: Method; reference: string; released_on: Day }
  /** With the recipient's picture (slot `front`) and signature, template `grant_acknowledgement`, subject the `id`. */
  'grant.acknowledge': {
    id: Id
    grant: Id
    tranche: Id
    amount_minor: number
    note: string
    position: Position
    evidence: Capture[]
    signature: SignedRecord
  }
  'grant.tranche': { id: Id; revision: number; tranche: Id; event: 'dispute' | 'uphold' | 'fail' | 'reverse'; reason: string }
  /** With a picture of each receipt (slot `receipt`), at least one; subject `utilisation`, `id`. */
  'grant.utilise': { id: Id; grant: Id; items: SpentItem[]; note: string; evidence: Capture[] }
  'grant.verify': { id: Id; revision: number; verdict: 'verify' | 'return'; reason: string }
}
