// Names the records that a command changes.
import type { Command, Id, Kind, SignedRecord } from '../api/records'

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
    case 'visit.submit': {
      const signed = command.body.signature && signedRecord(command.body.signature)
      return [
        keyOf('visit', command.body.id),
        keyOf('household', command.body.household),
        ...evidence(command.body.evidence),
        ...(signed ? [keyOf('signature', signed.id)] : []),
      ]
    }
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
    case 'conflict.settle':
      return [keyOf('conflict', command.body.id)]
    case 'inbox.read':
      return command.body.ids.map((id) => keyOf('inbox', id))
  }
}

function evidence(captures: { id: Id; supersedes: Id | null }[]): Key[] {
  return captures.flatMap(({ id, supersedes }) => [
    keyOf('evidence', id),
    ...(supersedes ? [keyOf('evidence', supersedes)] : []),
  ])
}

/** What a signed record's text says. */
export interface Signed {
  id: Id
  subject_kind: 'visit' | 'household'
  subject: Id
  template: string
  version: number
  language: 'en' | 'sw'
  statement: string
  signer_name: string
  signer_role: 'beneficiary' | 'witness' | 'mentor'
  signed_at: number
}

export function signedRecord(signature: SignedRecord): Signed {
  return JSON.parse(signature.record) as Signed
}
