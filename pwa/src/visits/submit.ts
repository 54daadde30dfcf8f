// Turns a finished form into the one command that saves a visit with its photos and signature.
import type { Household, SignedRecord } from '../api/records'
import { fieldsOf, type VisitForm } from './form'

export async function submitVisit(id: string, home: Household, form: VisitForm): Promise<void> {
  const [{ capturesOf, toCapture }, { command }, { statement }] = await Promise.all([
    import('../captures/capture'),
    import('../sync/command'),
    import('../queries/people'),
  ])
  const photos = (await capturesOf(id)).filter((one) => one.state === 'draft')
  let signature: SignedRecord | null = null
  if (form.ink) {
    const { sign } = await import('../captures/signature')
    const shown = await statement('visit', form.ink.language)
    if (shown) {
      const { text, strokes, width, height } = form.ink
      signature = await sign({
        subject_kind: 'visit',
        subject: id,
        statement: shown,
        text,
        signer_name: form.signer_name.trim(),
        signer_role: form.signer_role,
        width,
        height,
        strokes,
      })
    }
  }
  await command(
    'visit.submit',
    { id, household: home.id, ...fieldsOf(form, Date.now()), evidence: photos.map(toCapture), signature },
    { draft: id },
  )
}
