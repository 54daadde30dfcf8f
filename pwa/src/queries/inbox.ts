// What views ask about the person's messages.
import type { Inbox } from '../api/records'
import { every } from './records'

/** Newest first. */
export async function inbox(): Promise<Inbox[]> {
  return (await every('inbox')).sort((a, b) => b.created_at - a.created_at)
}

export async function unread(): Promise<number> {
  return (await every('inbox')).filter(({ read_at }) => read_at === null).length
}
