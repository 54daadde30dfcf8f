// Gives the command that an action is: of the grant, of one of its parts, or of the report on its use.
import type { Grant, Method, Tranche } from '../api/grants'
import type { Day, Id } from '../api/records'
import { attention, resolveAttention } from '../sync/attention'
import { command } from '../sync/command'
import type { Action } from './moves'

export interface Said {
  reason: string
  score: number | null
  method: Method
  reference: string
  released_on: Day
}

const DECISIONS = ['grant.move', 'grant.release', 'grant.tranche', 'grant.verify']

/** Answers with the command's id. A decision that was refused before is over: this one is about the grant as it is now. */
export async function give(grant: Grant, part: Tranche | null, action: Action, said: Said): Promise<Id> {
  const id = await begin(grant, part, action, said)
  const over = (await attention()).filter((one) => one.id !== id && DECISIONS.includes(one.command.kind) && one.records.includes(`grant:${grant.id}`))
  for (const one of over) await resolveAttention(one.id, 'discard')
  return id
}

function begin(grant: Grant, part: Tranche | null, action: Action, said: Said): Promise<Id> {
  const { id, revision } = grant
  const reason = said.reason.trim()
  switch (action) {
    case 'release': {
      const { method, reference, released_on } = said
      return command('grant.release', { id, revision, tranche: part!.id, method, reference: reference.trim(), released_on })
    }
    case 'dispute':
    case 'uphold':
    case 'fail':
    case 'reverse':
      return command('grant.tranche', { id, revision, tranche: part!.id, event: action, reason })
    case 'verify':
    case 'return_use':
      return command('grant.verify', { id, revision, verdict: action === 'verify' ? 'verify' : 'return', reason })
    case 'submit':
    case 'acknowledge':
    case 'utilise':
      throw new Error(`${action} has a form of its own`)
    default: {
      const score = action === 'recommend' ? said.score : null
      const amount_minor = action === 'approve' ? grant.amount.amount_minor : null
      return command('grant.move', { id, revision, event: action, reason, score, amount_minor })
    }
  }
}
