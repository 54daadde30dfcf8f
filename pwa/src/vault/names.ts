// Names of what waits on this phone, sealed to the server while they are known: should the database vanish, the loss has names.
import type { Command, Id, Lost, SealedNames, SubjectKind } from '../api/records'
import { database } from '../db/account'
import { one } from '../queries/records'
import { commandLabel, slotLabel } from '../words'
import { sealNames } from './parcel'

const MOST = 100
const LONGEST = 120

/** Uploads change rows many times a minute, and names seldom. */
let last: { of: string; names: SealedNames | null } = { of: '', names: null }

/** Null while nothing waits, or the server's key is not known. */
export async function namesWaiting(): Promise<SealedNames | null> {
  const db = database()
  const [outbox, attention, captures] = await Promise.all([db.getAll('outbox'), db.getAll('attention'), db.getAll('captures')])
  const commands = [...outbox.filter(({ done }) => !done), ...attention].map(({ command }) => command)
  const photos = captures.filter(({ state }) => state !== 'acknowledged' && state !== 'draft')
  const of = [db.name, ...commands.map(({ id }) => id), ...photos.map(({ id }) => id)].join(' ')
  if (of === last.of && last.names) return last.names
  const heads = new Map<Id, string>()
  const items: Lost['items'] = []
  for (const command of commands) {
    const head = await headOf(command)
    const body = command.body as { household?: { id?: Id } | Id; id?: Id }
    const subject = typeof body.household === 'object' ? body.household.id : body.id
    if (subject) heads.set(subject, head)
    items.push({ kind: 'record', what: named(commandLabel(command.kind), head), at: command.at })
  }
  for (const { slot, subject_kind, subject, captured_at } of photos) {
    const head = heads.get(subject) ?? (await headOfRecord(subject_kind, subject))
    items.push({ kind: 'capture', what: named(slotLabel(slot), head), at: captured_at })
  }
  last = { of, names: items.length ? await sealNames(items.slice(0, MOST)) : null }
  return last.names
}

/** Whose household a command is about. */
export async function headOf({ body }: Command): Promise<string> {
  const { household, id, name, group, grant, keep } = body as {
    household?: { head_name: string } | Id | null
    id?: Id
    name?: string
    group?: Id | null
    grant?: Id
    keep?: Id
  }
  if (household && typeof household === 'object') return household.head_name
  if (household ?? keep) return headOfRecord('household', (household ?? keep)!)
  if (name) return name
  if (group) return nameOfGroup(group)
  if (grant) return headOfRecord('grant', grant)
  if (!id) return ''
  return (await headOfRecord('visit', id)) || (await headOfRecord('enrolment', id)) || (await headOfRecord('grant', id)) || headOfRecord('household', id)
}

const nameOfGroup = async (id?: Id | null) => (id ? (await one('group', id))?.name ?? '' : '')

/** The name of the household or group that a record is, or is about. */
export async function headOfRecord(kind: SubjectKind, id: Id): Promise<string> {
  switch (kind) {
    case 'household':
      return (await one('household', id))?.head_name ?? ''
    case 'visit':
    case 'enrolment': {
      const record = await one(kind, id)
      return record ? headOfRecord('household', record.household) : ''
    }
    case 'survey':
      return nameOfGroup((await one('survey', id))?.group)
    case 'grant': {
      const grant = await one('grant', id)
      return grant?.household ? headOfRecord('household', grant.household) : nameOfGroup(grant?.group)
    }
    case 'acknowledgement': {
      const found = await one('acknowledgement', id)
      return found ? headOfRecord('grant', found.grant) : ''
    }
    case 'utilisation':
      return ''
  }
}

const named = (what: string, head: string) => [what, head].filter(Boolean).join(' – ').slice(0, LONGEST)
