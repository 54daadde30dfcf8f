// Turns a finished acknowledgement into the one command that saves it with its picture and signature.
import { Problem } from '../api/problem'
import type { Id, Position } from '../api/records'
import { toCapture, type CaptureMeta } from '../captures/capture'
import { signedBy } from '../signature/signing'
import { command } from '../sync/command'
import type { ReceivedForm } from './receiving'

export async function receive(id: Id, form: ReceivedForm, photo: CaptureMeta): Promise<void> {
  const signature = await signedBy(form, 'grant_acknowledgement', { subject_kind: 'acknowledgement', subject: id, household: form.recipient })
  if (!signature) throw new Problem('signature_lost', 'The signature is missing')
  const { grant, tranche, amount_minor, note, reason } = form
  const position: Position = form.position
    ? { ...form.position, no_gps_reason: null }
    : { lat: null, lon: null, accuracy_m: null, no_gps_reason: reason }
  const body = { id, grant, tranche, amount_minor, note: note.trim(), position, evidence: [toCapture(photo)], signature }
  await command('grant.acknowledge', body, { draft: id })
}
