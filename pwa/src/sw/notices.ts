// The few words a notification shows. They come with the push, and name nobody: a lock screen is public.

export interface Payload {
  v?: number
  kind?: string
  inbox?: string
  /** Others with the same one take its place. */
  tag?: string | null
  url?: string
  at?: number
  /** All that is unread. */
  unread?: number
  text?: { en?: string; sw?: string }
}

const OTHER = { en: 'There is news for you', sw: 'Kuna habari zako mpya' }
export const ACTIONS = { en: { open: 'Open', later: 'Later' }, sw: { open: 'Fungua', later: 'Baadaye' } }

export function noticeFor({ text }: Payload, language: 'en' | 'sw'): { title: string; body: string } {
  const body = text?.[language] ?? text?.en
  return { title: 'Kilele', body: typeof body === 'string' && body ? body : (OTHER[language] ?? OTHER.en) }
}

/** A payload that cannot be read still becomes a notice. */
export function readPayload(text: string | undefined): Payload {
  try {
    const payload = JSON.parse(text ?? '{}') as unknown
    return typeof payload === 'object' && payload ? payload : {}
  } catch {
    return {}
  }
}
