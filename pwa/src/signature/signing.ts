// What is asked of whoever signs: the name, as what, in which language, and the ink under the text that was shown.
import type { Id, Language, SignedRecord, SignerRole, Statement, SubjectKind } from '../api/records'

export type Stroke = [number, number, number, number][]
export interface Ink {
  strokes: Stroke[]
  width: number
  height: number
  text: string
  language: Language
}
export interface Signing {
  signer_name: string
  signer_role: SignerRole
  language: Language
  ink: Ink | null
}

/** The signed record of what was drawn; null when nobody signed. */
export async function signedBy(
  { signer_name, signer_role, ink }: Signing,
  key: string,
  about: { subject_kind: SubjectKind; subject: Id; household?: Id | null },
): Promise<SignedRecord | null> {
  if (!ink) return null
  const [{ sign }, { statement }] = await Promise.all([import('../captures/signature'), import('../queries/people')])
  const shown: Statement | null = await statement(key, ink.language)
  if (!shown) return null
  const { text, strokes, width, height } = ink
  return sign({ ...about, statement: shown, text, signer_name: signer_name.trim(), signer_role, width, height, strokes })
}
