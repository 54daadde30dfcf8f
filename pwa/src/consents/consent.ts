// What is typed of a consent, and the command that comes of it.
import type { CaptureMeta } from '../captures/capture'
import type { Household, Id, Language, SignedRecord } from '../api/records'
import { newId } from '../ids'
import type { Ink } from '../signature/signing'

export interface ConsentForm {
  language: Language
  /** Drawn with a finger, or the picture of a thumb mark. */
  way: 'ink' | 'thumb'
  ink: (Ink & { household: string }) | null
}

export const emptyConsent = (language: Language): ConsentForm => ({ language, way: 'ink', ink: null })

/** Whether there is something to save. */
export const isGiven = (form: ConsentForm, thumb: CaptureMeta | null): boolean =>
  form.way === 'ink' ? form.ink !== null : thumb !== null

/** Signs the text that was shown. Before anything is saved: it needs the phone's key. */
export async function signed(household: Id, head: string, form: ConsentForm): Promise<SignedRecord | null> {
  if (form.way !== 'ink' || !form.ink) return null
  const [{ sign }, { statement }] = await Promise.all([import('../captures/signature'), import('../queries/people')])
  const shown = await statement('consent', form.ink.language)
  if (!shown) return null
  const { text, strokes, width, height } = form.ink
  return sign({
    subject_kind: 'household', subject: household, statement: shown, text, signer_name: head,
    signer_role: 'beneficiary', width, height, strokes,
  })
}

/** `also` as `command` takes it: a picture that another command hands on is not handed on twice. */
export async function give(
  household: Id,
  form: ConsentForm,
  signature: SignedRecord | null,
  thumb: CaptureMeta | null,
  also: { draft?: Id; captures?: Id[] } = {},
): Promise<void> {
  const [{ command }, { toCapture }, { statement }] = await Promise.all([
    import('../sync/command'),
    import('../captures/capture'),
    import('../queries/people'),
  ])
  const read = signature ? null : await statement('consent', form.language)
  const evidence = !signature && thumb ? [toCapture(thumb)] : []
  const text = { version: read?.version ?? null, language: read?.language ?? null }
  await command('consent.give', { id: newId(), household, purpose: 'programme', evidence, signature, ...text }, also)
}

/** How the household stands to it. */
export const stateOf = ({ consent_at, consents }: Household): 'given' | 'withdrawn' | 'none' =>
  consent_at ? 'given' : consents?.length ? 'withdrawn' : 'none'
