// Turns a finished form into the one command that hands a grant in, with the signature of every household.
import type { Grant, Policy } from '../api/grants'
import type { Id } from '../api/records'
import { Problem } from '../api/problem'
import { command } from '../sync/command'
import { signedBy } from '../signature/signing'
import { answersOf, planOf, type GrantForm } from './form'

/** `homes`: those that apply; who signed and is no longer among them does not. */
export async function submitGrant(id: Id, form: GrantForm, policy: Policy, homes: Id[], amount_minor: number, before: Grant | null): Promise<void> {
  const signatures = []
  for (const home of homes) {
    const signing = form.signings[home]
    const signed = signing && (await signedBy(signing, 'grant_application', { subject_kind: 'grant', subject: id, household: home }))
    if (!signed) throw new Problem('signature_lost', 'A signature is missing')
    signatures.push(signed)
  }
  const { household, group, note } = form
  const body = {
    id,
    revision: before && before.revision > 0 ? before.revision : null,
    policy: policy.id,
    version: policy.version,
    household,
    group,
    plan: planOf(form),
    answers: answersOf(policy, form.answers).answers,
    amount_minor,
    note: note.trim(),
    signatures,
    evidence: [],
  }
  await command('grant.submit', body, { draft: id })
}
