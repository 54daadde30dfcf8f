// In whose name commands are given: the session says so, and needs nothing of how a command is kept.
import type { Author } from '../db/schema'

type Who = Omit<Author, 'place' | 'grant'>
let who: Who | null = null

export function actAs(somebody: Who | null): void {
  who = somebody
}

export const author = (): Who | null => who
