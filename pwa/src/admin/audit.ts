// The words for what the audit names: kinds of events to choose from, what was done, and values as people read them.
import type { Person } from '../api/records'
import { m } from '../paraglide/messages.js'

const actions: Record<string, () => string> = {
  'household.register': m.audit_household_register,
  'household.update': m.audit_household_update,
  'household.import': m.audit_household_import,
  'household.import_undo': m.audit_household_import_undo,
  'household.read': m.audit_household_read,
  'grant.read': m.audit_grant_read,
  'household.export': m.audit_household_export,
  'household.erase': m.audit_household_erase,
  'visit.plan': m.audit_visit_plan,
  'visit.start': m.audit_visit_start,
  'visit.submit': m.audit_visit_submit,
  'visit.cancel': m.audit_visit_cancel,
  'visit.miss': m.audit_visit_miss,
  'visit.approve': m.audit_visit_approve,
  'visit.return': m.audit_visit_return,
  'conflict.open': m.audit_conflict_open,
  'conflict.settle_mine': m.audit_conflict_settle,
  'conflict.settle_theirs': m.audit_conflict_settle,
  'evidence.receive': m.audit_evidence_receive,
  'evidence.derive': m.audit_evidence_derive,
  'signature.receive': m.audit_signature_receive,
  'member.add': m.audit_member_add,
  'member.change': m.audit_member_change,
  'member.reset': m.audit_member_reset,
  'member.hand_over': m.audit_member_hand_over,
  'member.export': m.audit_member_export,
  'member.erase': m.audit_member_erase,
  'outbox.take': m.audit_outbox_take,
  'outbox.leave': m.audit_outbox_leave,
  'member.sessions_end': m.audit_sessions_end,
  'place.add': m.audit_place_add,
  'place.import': m.audit_place_import,
  'place.import_undo': m.audit_place_import_undo,
  'import.upload': m.audit_import_upload,
  'import.commit': m.audit_import_commit,
  'import.undo': m.audit_import_undo,
  'import.discard': m.audit_import_discard,
  'organisation.create': m.audit_organisation_create,
  'organisation.change': m.audit_organisation_change,
  'organisation.sign_in_rules': m.audit_sign_in_rules,
  'session.open': m.audit_session_open,
  'session.join': m.audit_session_join,
  'session.setup': m.audit_session_setup,
  'session.oidc': m.audit_session_oidc,
  'session.end': m.audit_session_end,
  'account.locked': m.audit_account_locked,
  'account.password': m.audit_account_password,
  'account.totp_on': m.audit_totp_on,
  'account.totp_off': m.audit_totp_off,
  'account.recovery_code': m.audit_recovery_code,
  'account.recovery_codes': m.audit_recovery_codes,
  'device.revoke': m.audit_device_revoke,
  'key.create': m.audit_key_create,
  'key.revoke': m.audit_key_revoke,
  'organisation.retention': m.audit_retention,
  'retention.run': m.audit_retention_run,
  'audit.export': m.audit_audit_export,
}

export const actionLabel = (action: string): string => actions[action]?.() ?? action

/** First parts of actions, by which events are found. */
export const kinds = () => [
  { value: 'session', label: m.audit_kind_session() },
  { value: 'account', label: m.audit_kind_account() },
  { value: 'member', label: m.audit_kind_member() },
  { value: 'device', label: m.audit_kind_device() },
  { value: 'key', label: m.audit_kind_key() },
  { value: 'household', label: m.audit_kind_household() },
  { value: 'visit', label: m.audit_kind_visit() },
  { value: 'conflict', label: m.audit_kind_conflict() },
  { value: 'evidence', label: m.audit_kind_evidence() },
  { value: 'signature', label: m.audit_kind_signature() },
  { value: 'place', label: m.audit_kind_place() },
  { value: 'import', label: m.audit_kind_import() },
  { value: 'organisation', label: m.audit_kind_organisation() },
  { value: 'retention', label: m.audit_retention_run() },
  { value: 'audit', label: m.audit_kind_audit() },
]

/** A person's id as their name; nothing as a dash. */
export function shownValue(value: string | undefined, people: Person[]): string {
  if (value === undefined) return '–'
  return people.find(({ id }) => id === value)?.name ?? value
}
