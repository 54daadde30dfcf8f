// Names the records that a command changes.
import type { Command, Id, Kind, SignedRecord, SubjectKind } from '../api/records'

export type Key = `${Kind}:${Id}`

export const keyOf = (kind: Kind, id: Id): Key => `${kind}:${id}`

export function parseKey(key: string): [Kind, Id] {
  const at = key.indexOf(':')
  return [key.slice(0, at) as Kind, key.slice(at + 1)]
}

export function touches(command: Command): Key[] {
  switch (command.kind) {
    case 'household.register':
      return [keyOf('household', command.body.household.id), ...evidence(command.body.evidence)]
    case 'household.update':
      return [keyOf('household', command.body.id)]
    case 'household.merge':
      return [keyOf('household', command.body.keep), keyOf('household', command.body.drop)]
    case 'household.unmerge':
    case 'household.move':
      return [keyOf('household', command.body.id)]
    case 'consent.give':
      return [keyOf('household', command.body.household), ...evidence(command.body.evidence), ...signatures(command)]
    case 'consent.withdraw':
      return [keyOf('household', command.body.household)]
    case 'visit.submit':
      return [
        keyOf('visit', command.body.id),
        keyOf('household', command.body.household),
        ...evidence(command.body.evidence),
        ...signatures(command),
      ]
    case 'visit.plan':
    case 'visit.start':
    case 'visit.cancel':
    case 'visit.miss':
    case 'visit.approve':
    case 'visit.return':
      return [keyOf('visit', command.body.id)]
    case 'assessment.record':
      return [keyOf('assessment', command.body.id)]
    case 'enrolment.apply':
      return [keyOf('enrolment', command.body.id)]
    case 'enrolment.move':
      return [keyOf('enrolment', command.body.id), ...evidence(command.body.evidence)]
    case 'milestone.move':
      return [keyOf('enrolment', command.body.enrolment)]
    case 'group.form':
    case 'group.change':
    case 'group.dissolve':
      return [keyOf('group', command.body.id)]
    case 'group.survey':
      return [keyOf('survey', command.body.id), keyOf('group', command.body.group), ...evidence(command.body.evidence)]
    case 'grant.submit':
      return [keyOf('grant', command.body.id), ...evidence(command.body.evidence), ...signatures(command)]
    case 'grant.move':
    case 'grant.release':
    case 'grant.tranche':
    case 'grant.verify':
      return [keyOf('grant', command.body.id)]
    case 'grant.acknowledge':
      return [
        keyOf('acknowledgement', command.body.id),
        keyOf('grant', command.body.grant),
        ...evidence(command.body.evidence),
        ...signatures(command),
      ]
    case 'grant.utilise':
      return [keyOf('grant', command.body.grant), ...evidence(command.body.evidence)]
    case 'conflict.settle':
      return [keyOf('conflict', command.body.id)]
    case 'inbox.read':
      return command.body.ids.map((id) => keyOf('inbox', id))
    // Those of trainings.
    default:
      return [keyOf('training', command.body.id)]
  }
}

/** What was signed with a command. */
export function signaturesOf({ body }: Command): SignedRecord[] {
  if ('signatures' in body) return body.signatures
  return 'signature' in body && body.signature ? [body.signature] : []
}

const signatures = (command: Command): Key[] => signaturesOf(command).map((signed) => keyOf('signature', signedRecord(signed).id))

function evidence(captures: { id: Id; supersedes: Id | null }[]): Key[] {
  return captures.flatMap(({ id, supersedes }) => [
    keyOf('evidence', id),
    ...(supersedes ? [keyOf('evidence', supersedes)] : []),
  ])
}

/** What a signed record's text says. */
export interface Signed {
  id: Id
  subject_kind: SubjectKind
  subject: Id
  template: string
  version: number
  language: 'en' | 'sw'
  statement: string
  signer_name: string
  signer_role: 'beneficiary' | 'witness' | 'mentor'
  household?: Id
  signed_at: number
}

export function signedRecord(signature: SignedRecord): Signed {
  return JSON.parse(signature.record) as Signed
}
