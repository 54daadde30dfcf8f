// A statement in the words that are shown and signed, filled with whom and what it is about.
import type { Spoken } from '../captures/signature'
import type { Language } from '../api/records'
import { organisation, statement } from '../queries/people'
import { session } from '../session.svelte'
import { day } from '../shell/dates'

/** Null when the text has not reached this phone. */
export async function spoken(key: string, language: Language, values: Spoken): Promise<string | null> {
  const [text, ours, { signatureText }] = await Promise.all([
    statement(key, language),
    organisation(),
    import('../captures/signature'),
  ])
  const also = { mentor: session.member?.name ?? '', date: day(Date.now()), organisation: ours?.name ?? '' }
  return text && signatureText(text, { ...also, ...values })
}
