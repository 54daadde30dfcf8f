// Turns a finished form into the one command that saves a visit with its photos and signature.
import type { Household } from '../api/records'
import { signedBy } from '../signature/signing'
import { fieldsOf, type VisitForm } from './form'

export async function submitVisit(id: string, home: Household, form: VisitForm): Promise<void> {
  const [{ capturesOf, toCapture }, { command }] = await Promise.all([import('../captures/capture'), import('../sync/command')])
  const photos = (await capturesOf(id)).filter((one) => one.state === 'draft')
  const signature = await signedBy(form, 'visit', { subject_kind: 'visit', subject: id })
  await command(
    'visit.submit',
    { id, household: home.id, ...fieldsOf(form, Date.now()), evidence: photos.map(toCapture), signature },
    { draft: id },
  )
}
