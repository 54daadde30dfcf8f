// What each command does to each record it touches: pure, so that it can be applied again over newer server data.
import type { Assessment, Capture, Command, Enrolment, Evidence, Household, Id, Kind, Records, SubjectKind, Visit, VisitState } from '../api/records'
import ways from '../assess/ways.json'
import type { Author } from '../db/schema'
import { grantRecord, ladder } from './reduce-grants'
import { training } from './reduce-trainings'
import { signaturesOf, signedRecord } from './touches'

/** From which states a visit command may start; the server decides, this only avoids showing what it would refuse. */
const FROM: Record<string, VisitState[]> = {
  'visit.start': ['planned'],
  'visit.submit': ['planned', 'in_progress', 'returned', 'missed', 'cancelled'],
  'visit.cancel': ['planned', 'in_progress'],
  'visit.miss': ['planned', 'in_progress'],
  'visit.approve': ['submitted'],
  'visit.return': ['submitted'],
}

/** The record after the command; `before` is null when the phone does not know it yet. */
export function reduce(
  command: Command,
  kind: Kind,
  id: Id,
  before: Records[Kind] | null,
  by: Author,
): Records[Kind] | null {
  switch (kind) {
    case 'household':
      return household(command, before as Household | null, by)
    case 'visit':
      return visit(command, before as Visit | null, by)
    case 'assessment':
      return assessment(command, before as Assessment | null, by)
    case 'enrolment':
      return enrolment(command, before as Enrolment | null, by)
    case 'evidence':
      return evidence(command, id, before as Evidence | null, by)
    case 'signature':
      return signature(command, id, before as Records['signature'] | null)
    case 'conflict':
      return before && command.kind === 'conflict.settle'
        ? { ...(before as Records['conflict']), state: 'settled', settled_by: by.member }
        : before
    case 'inbox':
      return before && command.kind === 'inbox.read'
        ? { ...(before as Records['inbox']), read_at: (before as Records['inbox']).read_at ?? command.at }
        : before
    case 'training':
      return training(command, before as Records['training'] | null, by)
    default: {
      const after = grantRecord(command, kind, before, by)
      return after === undefined ? before : after
    }
  }
}

function household(command: Command, before: Household | null, by: Author): Household | null {
  switch (command.kind) {
    case 'household.register':
      if (before) return before
      return {
        ...command.body.household,
        number: null,
        photo: command.body.evidence.find((capture) => capture.slot === 'front')?.id ?? null,
        photo_placeholder: null,
        consent_at: null,
        last_visit_at: null,
        registered_by: by.member,
        registered_at: command.at,
        updated_at: command.at,
        revision: 0,
      }
    case 'household.update': {
      if (!before) return null
      const after: Record<string, unknown> = { ...before, updated_at: command.at }
      for (const [field, change] of Object.entries(command.body.changes)) {
        const { was, now } = change as { was: unknown; now: unknown }
        // The same rule as the server's: a value that someone else changed meanwhile stays, and becomes a conflict there.
        if (same(after[field], was)) after[field] = now
      }
      return after as unknown as Household
    }
    case 'visit.submit': {
      if (!before) return null
      const at = command.body.started_at
      return at === null || (before.last_visit_at ?? 0) >= at ? before : { ...before, last_visit_at: at }
    }
    case 'consent.give':
    case 'consent.withdraw':
      return before && consented(command, before, by)
    // What was chosen of the other one, the server says.
    case 'household.merge':
      return before && before.id === command.body.drop ? { ...before, merged_into: command.body.keep } : before
    case 'household.unmerge': {
      if (!before) return null
      const { merged_into: _, ...alone } = before
      return alone
    }
    case 'household.move':
      return before && { ...before, place: command.body.place, updated_at: command.at }
    default:
      return before
  }
}

function consented(
  command: Extract<Command, { kind: 'consent.give' | 'consent.withdraw' }>,
  before: Household,
  by: Author,
): Household {
  const { at } = command
  const steps = before.consents ?? []
  const last = steps.at(-1)
  if (command.kind === 'consent.withdraw') {
    if (last?.event !== 'given') return before
    const step = { ...last, event: 'withdrawn' as const, by: by.member, at, reason: command.body.reason }
    return { ...before, consents: [...steps, step], consent_at: null, updated_at: at }
  }
  const { id, purpose, evidence, signature, version, language } = command.body
  if (steps.some((step) => step.id === id && step.event === 'given')) return before
  const signed = signature && signedRecord(signature)
  const step = {
    id,
    event: 'given' as const,
    purpose,
    version: signed?.version ?? version,
    language: signed?.language ?? language,
    signature: signed?.id ?? null,
    picture: evidence.find(({ slot }) => slot === 'document')?.id ?? null,
    by: by.member,
    at,
    reason: '',
  }
  return { ...before, consents: [...steps, step], consent_at: at, updated_at: at }
}

function visit(command: Command, before: Visit | null, by: Author): Visit | null {
  if (before && FROM[command.kind] && !FROM[command.kind]!.includes(before.state)) return before
  switch (command.kind) {
    case 'visit.plan': {
      if (before) return before
      const { id, household, mentor, kind, planned_at } = command.body
      return { ...emptyVisit(id, household, mentor, command.at, by), kind, planned_at, state: 'planned' }
    }
    case 'visit.start':
      return before && { ...before, state: 'in_progress', started_at: command.body.started_at, updated_at: command.at }
    case 'visit.submit': {
      const { evidence: _photos, signature: _signature, ...fields } = command.body
      const start = before ?? emptyVisit(fields.id, fields.household, by.member, command.at, by)
      return {
        ...start,
        ...fields,
        planned_at: fields.planned_at ?? start.planned_at,
        state: 'submitted',
        round: start.round + 1,
        submitted_at: command.at,
        updated_at: command.at,
      }
    }
    case 'visit.cancel':
      return before && { ...before, state: 'cancelled', note: command.body.reason, updated_at: command.at }
    case 'visit.miss':
      return before && { ...before, state: 'missed', note: command.body.reason, updated_at: command.at }
    case 'visit.approve':
      return before && { ...before, state: 'approved', ...decision(command.at, by) }
    case 'visit.return':
      return before && { ...before, state: 'returned', note: command.body.note, ...decision(command.at, by) }
    default:
      return before
  }
}

const decision = (at: number, by: Author) => ({ decided_by: by.member, decided_at: at, updated_at: at })

function emptyVisit(id: Id, household: Id, mentor: Id, at: number, by: Author): Visit {
  return {
    id,
    number: null,
    household,
    place: by.place ?? '',
    mentor,
    state: 'in_progress',
    kind: 'scheduled',
    planned_at: null,
    started_at: null,
    ended_at: null,
    topics: [],
    observations: '',
    recommendations: '',
    action_items: '',
    business_status: null,
    income_minor: null,
    support_needed: '',
    lat: null,
    lon: null,
    accuracy_m: null,
    no_gps_reason: null,
    note: null,
    decided_by: null,
    decided_at: null,
    round: 0,
    submitted_at: null,
    created_at: at,
    updated_at: at,
    revision: 0,
  }
}

/** Whether the household qualifies, only the server says. */
function assessment(command: Command, before: Assessment | null, by: Author): Assessment | null {
  if (before || command.kind !== 'assessment.record') return before
  const at = command.at
  return {
    ...command.body,
    place: by.place ?? '',
    failed: [],
    factors: [],
    qualification: null,
    blocks: [],
    phone_score: null,
    assessed_by: by.member,
    assessed_at: at,
    created_at: at,
    updated_at: at,
    revision: 0,
  }
}

function enrolment(command: Command, before: Enrolment | null, by: Author): Enrolment | null {
  const step = { by: by.member, at: command.at }
  if (command.kind === 'enrolment.apply') {
    return before ?? {
      ...command.body,
      number: null,
      place: by.place ?? '',
      mentor: by.member,
      assessed_by: by.member,
      state: 'applied',
      verified_by: null,
      verified_at: null,
      position: null,
      approved_by: null,
      approved_at: null,
      to_mentor: null,
      history: [{ ...step, event: null, state: 'applied', reason: '' }],
      created_at: command.at,
      updated_at: command.at,
      revision: 0,
    }
  }
  if (before && command.kind === 'milestone.move') return { ...before, milestones: ladder(before.milestones, command, by), updated_at: command.at }
  if (command.kind !== 'enrolment.move' || !before) return before
  const { event, reason, mentor } = command.body
  const state = (ways[before.state] as Partial<Record<string, Enrolment['state']>>)[event]
  if (!state) return before
  const history = [...before.history, { ...step, event, state, reason }]
  const to_mentor = event === 'transfer' ? mentor : event === 'take_over' ? null : before.to_mentor
  return { ...before, state, history, to_mentor, mentor: event === 'take_over' ? by.member : before.mentor, updated_at: command.at }
}

function evidence(command: Command, id: Id, before: Evidence | null, by: Author): Evidence | null {
  if (!('evidence' in command.body)) return before
  const taken = command.body.evidence.find((capture) => capture.id === id)
  if (taken) return before ?? announced(taken, command as Announcing, by)
  const replacement = command.body.evidence.find((capture) => capture.supersedes === id)
  return before && replacement ? { ...before, superseded_by: replacement.id } : before
}

type Announcing = Extract<Command, { body: { evidence: Capture[] } }>

const SUBJECTS: Record<Announcing['kind'], SubjectKind> = {
  'household.register': 'household',
  'consent.give': 'household',
  'visit.submit': 'visit',
  'enrolment.move': 'enrolment',
  'group.survey': 'survey',
  'grant.submit': 'grant',
  'grant.acknowledge': 'acknowledgement',
  'grant.utilise': 'utilisation',
}

function subjectOf(command: Announcing): Id {
  if (command.kind === 'household.register') return command.body.household.id
  return command.kind === 'consent.give' ? command.body.household : command.body.id
}

function announced(taken: Capture, command: Announcing, by: Author): Evidence {
  return {
    ...taken,
    subject_kind: SUBJECTS[command.kind],
    subject: subjectOf(command),
    device: by.device,
    captured_by: by.member,
    state: 'announced',
    reason: null,
    received_at: null,
    superseded_by: null,
    placeholder: null,
    updated_at: command.at,
    revision: 0,
  }
}

function signature(command: Command, id: Id, before: Records['signature'] | null): Records['signature'] | null {
  if (before) return before
  const found = signaturesOf(command).find((one) => signedRecord(one).id === id)
  if (!found) return before
  const signed = signedRecord(found)
  const { subject_kind, subject, signer_name, signer_role, household, template, version, language, statement, signed_at } = signed
  return {
    id,
    subject_kind,
    subject,
    signer_name,
    signer_role,
    ...(household ? { household } : {}),
    template,
    version,
    language,
    statement,
    signed_at,
    received_at: null,
    sha256: found.sha256,
    sequence: null,
    server_signature: null,
    superseded_by: null,
    revision: 0,
  }
}

/** Equal as JSON, whatever the order of keys; missing and null are the same. */
export function same(a: unknown, b: unknown): boolean {
  if ((a ?? null) === (b ?? null)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b || Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [a as Record<string, unknown>, b as Record<string, unknown>]
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => same(left[key], right[key]))
}
