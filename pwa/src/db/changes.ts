// Tells every tab and the worker what changed in the local database.
import type { Prefs } from './prefs'

/** `records:visit`, `outbox`, … */
export type Tag = string

export interface Change {
  tags: Tag[]
  /** `kind:id` of the changed records; null when there were too many to name. */
  keys: string[] | null
}

export type Message =
  | { type: 'change'; change: Change }
  | { type: 'wake' }
  | { type: 'status'; status: unknown }
  /** Another person, or nobody, is signed in now. */
  | { type: 'account'; id: string | null }
  /** Somebody chose another language or other colours for this phone. */
  | ({ type: 'choices' } & Partial<Pick<Prefs, 'language' | 'theme'>>)

type Hear = (message: Message) => void
const listeners = new Set<Hear>()
const MANY = 300

let channel: BroadcastChannel | null = null

function connect(): BroadcastChannel | null {
  if (!channel && typeof BroadcastChannel !== 'undefined') {
    channel = new BroadcastChannel('kilele')
    channel.onmessage = (event: MessageEvent<Message>) => tell(event.data)
    // Under Node the channel would keep the process alive.
    ;(channel as { unref?: () => void }).unref?.()
  }
  return channel
}

function tell(message: Message): void {
  for (const hear of listeners) hear(message)
}

/** To this tab and all others. */
export function broadcast(message: Message): void {
  connect()?.postMessage(message)
  tell(message)
}

export function hear(listener: Hear): () => void {
  connect()
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

export function changed(tags: Iterable<Tag>, keys: string[] | null = null): void {
  const named = keys && keys.length > MANY ? null : keys
  broadcast({ type: 'change', change: { tags: [...new Set(tags)], keys: named } })
}

/** Whether someone who watches `watched` must look again. */
export function concerns(watched: readonly string[], tags: readonly Tag[]): boolean {
  return tags.some((tag) => watched.some((name) => tag === name || tag.startsWith(`${name}:`) || name.startsWith(`${tag}:`)))
}
