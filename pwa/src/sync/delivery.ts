// Where each part of a record's work is: on this phone, on its way, or with the server.
import type { Id, Kind, Slot } from '../api/records'
import { database } from '../db/account'
import type { CaptureMeta } from '../db/schema'
import { reported } from './report'
import { keyOf } from './touches'

export type DeliveryState = 'on_phone' | 'sending' | 'received' | 'attention'

export interface Delivery {
  record: DeliveryState
  captures: { id: Id; slot: Slot; state: DeliveryState; sent: number; bytes: number; error: string | null }[]
}

const KINDS: Kind[] = ['visit', 'household', 'enrolment', 'group', 'survey', 'grant', 'acknowledgement', 'training']

/** `subject`: any record that a command changes. */
export async function deliveryOf(subject: Id): Promise<Delivery> {
  const db = database()
  const keys = KINDS.map((kind) => keyOf(kind, subject))
  const [waiting, refused, captures] = await Promise.all([
    Promise.all(keys.map((key) => db.getAllFromIndex('outbox', 'records', key))),
    Promise.all(keys.map((key) => db.countFromIndex('attention', 'records', key))),
    db.getAllFromIndex('captures', 'subject', subject),
  ])
  const flying = new Set(reported().inFlight)
  const unsent = waiting.flat().filter(({ done }) => !done)
  return {
    record:
      refused.some((count) => count > 0) ? 'attention'
      : unsent.some(({ id }) => flying.has(id)) ? 'sending'
      : unsent.length > 0 ? 'on_phone'
      : 'received',
    captures: captures.map((capture) => ({
      id: capture.id,
      slot: capture.slot,
      state: stateOf(capture, flying),
      sent: Math.min(capture.offset, capture.bytes),
      bytes: capture.bytes,
      error: capture.error,
    })),
  }
}

function stateOf({ id, state }: CaptureMeta, flying: Set<string>): DeliveryState {
  if (state === 'acknowledged') return 'received'
  if (state === 'failed') return 'attention'
  return flying.has(id) ? 'sending' : 'on_phone'
}
