// The catalogue's words for the keys that records carry: kinds, states, topics, slots, roles.
import { m } from './paraglide/messages.js'
import type { BusinessStatus, CommandKind, HouseholdMember, Role, SignerRole, VisitKind, VisitState } from './api/records'

const pick =
  (texts: Record<string, () => string>) =>
  (key: string | null | undefined): string =>
    key ? (texts[key]?.() ?? key) : ''

export const kindLabel = pick({
  scheduled: m.kind_scheduled,
  follow_up: m.kind_follow_up,
  emergency: m.kind_emergency,
  on_site: m.kind_on_site,
} satisfies Record<VisitKind, () => string>)
export const visitStateLabel = pick({
  planned: m.state_planned,
  in_progress: m.state_in_progress,
  submitted: m.state_submitted,
  approved: m.state_approved,
  returned: m.state_returned,
  cancelled: m.state_cancelled,
  missed: m.state_missed,
} satisfies Record<VisitState, () => string>)
export const topicLabel = pick({
  business: m.topic_business,
  savings: m.topic_savings,
  health: m.topic_health,
  education: m.topic_education,
  nutrition: m.topic_nutrition,
  group: m.topic_group,
  training: m.topic_training,
  other: m.topic_other,
})
export const businessLabel = pick({
  thriving: m.business_thriving,
  stable: m.business_stable,
  struggling: m.business_struggling,
  closed: m.business_closed,
  not_started: m.business_not_started,
} satisfies Record<BusinessStatus, () => string>)
export const slotLabel = pick({
  front: m.slot_front,
  back: m.slot_back,
  subject: m.slot_subject,
  site: m.slot_site,
  signature: m.slot_signature,
  document: m.slot_document,
  receipt: m.slot_receipt,
})
export const roleLabel = pick({
  mentor: m.role_mentor,
  supervisor: m.role_supervisor,
  evaluator: m.role_evaluator,
  programme_manager: m.role_programme_manager,
  approver: m.role_approver,
  org_admin: m.role_org_admin,
  oversight: m.role_oversight,
  beneficiary: m.role_beneficiary,
  custom: m.role_custom,
} satisfies Record<Role, () => string>)
export const signerLabel = pick({
  beneficiary: m.signer_beneficiary,
  witness: m.signer_witness,
  mentor: m.signer_mentor,
} satisfies Record<SignerRole, () => string>)
export const commandLabel = pick({
  'household.register': m.command_household_register,
  'household.update': m.command_household_update,
  'household.merge': m.command_household_merge,
  'household.unmerge': m.command_household_unmerge,
  'household.move': m.command_household_move,
  'consent.give': m.command_consent_give,
  'consent.withdraw': m.command_consent_withdraw,
  'visit.plan': m.command_visit_plan,
  'visit.start': m.command_visit_start,
  'visit.submit': m.command_visit_submit,
  'visit.cancel': m.command_visit_cancel,
  'visit.miss': m.command_visit_miss,
  'visit.approve': m.command_visit_approve,
  'visit.return': m.command_visit_return,
  'assessment.record': m.command_assessment_record,
  'enrolment.apply': m.command_enrolment_apply,
  'enrolment.move': m.command_enrolment_move,
  'milestone.move': m.command_milestone_move,
  'group.form': m.command_group_form,
  'group.change': m.command_group_change,
  'group.dissolve': m.command_group_dissolve,
  'group.survey': m.command_group_survey,
  'training.schedule': m.topic_training,
  'training.change': m.topic_training,
  'training.cancel': m.topic_training,
  'training.attend': m.topic_training,
  'training.hold': m.topic_training,
  'grant.submit': m.command_grant_submit,
  'grant.move': m.command_grant_move,
  'grant.release': m.command_grant_release,
  'grant.acknowledge': m.command_grant_acknowledge,
  'grant.tranche': m.command_grant_tranche,
  'grant.utilise': m.command_grant_utilise,
  'grant.verify': m.command_grant_verify,
  'conflict.settle': m.command_conflict_settle,
  'inbox.read': m.command_inbox_read,
} satisfies Record<CommandKind, () => string>)
export const relationLabel = pick({
  head: m.relation_head,
  spouse: m.relation_spouse,
  child: m.relation_child,
  parent: m.relation_parent,
  sibling: m.relation_sibling,
  other: m.relation_other,
} satisfies Record<HouseholdMember['relationship'], () => string>)
export const sexLabel = pick({ female: m.sex_female, male: m.sex_male })
export const noGpsLabel = pick({ no_fix: m.nogps_no_fix, refused: m.nogps_refused, unavailable: m.nogps_unavailable })
export const yesNo = (value: boolean) => (value ? m.yes() : m.no())

/** As the options of a Select or of chips. */
export const options = (keys: readonly string[], label: (key: string) => string) =>
  keys.map((value) => ({ value, label: label(value) }))
