// The one door for every change: record, outbox, draft and photos in one durable transaction.
import type { Changes, Command, CommandKind, Commands, Household, HouseholdFields, Id, Kind, Records } from '../api/records'
import { Problem } from '../api/problem'
import { plain } from '../bytes'
import { now } from '../clock'
import { transact, type Tx } from '../db/account'
import { broadcast, changed } from '../db/changes'
import type { Author, WaitingItem } from '../db/schema'
import { closeDraft, dropDraft, reopenDraft } from '../drafts'
import { newId } from '../ids'
import { withRoom } from '../captures/room'
import { author } from './author'
import { rebase } from './rebase'
import { same } from './reducers'
import { parseKey, touches } from './touches'
import { sealCommand } from '../vault/parcel'

/** Resolves with the command's id once it is durable on this phone. */
export async function command<K extends CommandKind>(
  kind: K,
  body: Commands[K],
  also: { draft?: Id; captures?: Id[] } = {},
): Promise<Id> {
  const who = author()
  if (!who) throw new Problem('signed_out', 'Nobody is signed in')
  const given = { id: newId(), kind, at: now(), body: plain(body) } as Command
  const captures = also.captures ?? announcedBy(given)
  const records = touches(given)
  if (also.draft) await closeDraft(also.draft)
  try {
    // Before the transaction: one ends while something else is waited for.
    const item = await sealCommand(given)
    await withRoom(() => keep(given, who, records, captures, item, also.draft))
  } finally {
    if (also.draft) reopenDraft(also.draft)
  }
  changed(['outbox', 'captures', 'drafts', ...records.map((key) => `records:${parseKey(key)[0]}`)], records)
  broadcast({ type: 'wake' })
  return given.id
}

function keep(
  given: Command, who: Omit<Author, 'place'>, records: string[], captures: Id[], item: WaitingItem | null, draft?: Id,
): Promise<void> {
  return transact(['records', 'outbox', 'items', 'captures', 'blobs', 'drafts'], 'strict', async (tx) => {
    const by = { ...who, ...(await whereabouts(tx, given)) }
    const size = JSON.stringify(given).length
    const form = draft ? ((await tx.objectStore('drafts').get(draft)) ?? null) : null
    await tx.objectStore('outbox').add({
      id: given.id, command: given, by, records, captures, draft: form, size, done: false,
    })
    if (item) await tx.objectStore('items').put(item)
    await queue(tx, captures, given.id)
    if (draft) await dropDraft(tx, draft)
    await rebase(tx, records)
  })
}

function announcedBy(given: Command): Id[] {
  return 'evidence' in given.body ? given.body.evidence.map(({ id }) => id) : []
}

/** The village of what a command is about; of an application also the policy and the households it is made for. */
async function whereabouts(tx: Tx, { kind, body }: Command): Promise<Pick<Author, 'place' | 'grant'>> {
  const read = async <K extends Kind>(of: K, id: Id | null) =>
    (id ? (await tx.objectStore('records').get([of, id]))?.body ?? null : null) as Records[K] | null
  const placeOf = async (of: 'household' | 'group' | 'grant', id: Id | null) => (await read(of, id))?.place ?? null
  switch (kind) {
    case 'household.register':
      return { place: body.household.place }
    case 'training.schedule':
      return { place: body.place }
    case 'group.form':
      return { place: await placeOf('household', body.members[0]?.household ?? null) }
    case 'group.survey':
      return { place: await placeOf('group', body.group) }
    case 'grant.acknowledge':
      return { place: await placeOf('grant', body.grant) }
    case 'grant.submit': {
      const [policy, home, group] = [await read('policy', body.policy), await read('household', body.household), await read('group', body.group)]
      const households = home ? [home.id] : (group?.members ?? []).map(({ household }) => household)
      return { place: (home ?? group)?.place ?? null, ...(policy ? { grant: { policy, households } } : {}) }
    }
    default:
      return { place: 'household' in body && body.household ? await placeOf('household', body.household as Id) : null }
  }
}

async function queue(tx: Tx, captures: Id[], id: Id): Promise<void> {
  const store = tx.objectStore('captures')
  for (const capture of captures) {
    const found = await store.get(capture)
    if (!found) throw new Problem('capture_missing', `Photo ${capture} is not on this phone`)
    await store.put({ ...found, draft: null, command: id, state: found.state === 'draft' ? 'queued' : found.state })
  }
}

const FIELDS: (keyof HouseholdFields)[] = [
  'head_name', 'head_sex', 'head_birth_date', 'national_id', 'phone', 'members', 'lat', 'lon', 'accuracy_m',
  'monthly_income_minor', 'electricity', 'clean_water', 'disability', 'notes',
]

/** For `household.update`: each field that differs, with what the person saw. A household never changes its place. */
export function changesOf(before: Household, after: HouseholdFields): Changes<HouseholdFields> {
  const differing = FIELDS.filter((field) => !same(before[field], after[field]))
  return Object.fromEntries(
    differing.map((field) => [field, { was: before[field] ?? null, now: after[field] ?? null }]),
  ) as Changes<HouseholdFields>
}
