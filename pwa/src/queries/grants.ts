// What views ask about grants: the list, one with all that belongs to it, what waits for whom, and who may apply for what.
import type { Acknowledgement, Grant, Group, Milestone, Policy } from '../api/grants'
import type { Evidence, Household, Id, Person, Programme, Signature } from '../api/records'
import { now } from '../clock'
import { readMeta } from '../db/account'
import { isReceived } from '../grants/moves'
import { askedOf, underWay, type Asked } from '../grants/needs'
import { person, placePath } from './people'
import { about, every, inState, one } from './records'

export interface GrantItem {
  grant: Grant
  households: Household[]
  group: Group | null
  /** Of the group, or of the household's head. */
  name: string
  programme: string
}

export async function withWho(grant: Grant): Promise<GrantItem> {
  const [homes, group, programme] = await Promise.all([
    Promise.all(grant.households.map((id) => one('household', id))),
    grant.group ? one('group', grant.group) : null,
    one('programme', grant.programme),
  ])
  const households = homes.flatMap((home) => home ?? [])
  const name = group?.name ?? households[0]?.head_name ?? ''
  return { grant, households, group, name, programme: programme?.name ?? '' }
}

/** Latest first. */
export async function grants(): Promise<GrantItem[]> {
  const all = (await every('grant')).sort((a, b) => b.updated_at - a.updated_at)
  return Promise.all(all.map(withWho))
}

export type Waiting = 'review' | 'decision' | 'release' | 'verification'

/** Whose turn it is. */
export function waitsFor({ state, tranches, utilisation }: Grant): Waiting | null {
  if (state === 'submitted' || state === 'in_review') return 'review'
  if (state === 'recommended') return 'decision'
  if (utilisation?.state === 'submitted') return 'verification'
  const paying = state === 'approved' || state === 'disbursing'
  return paying && tranches.some((part) => part.state === 'scheduled') ? 'release' : null
}

const since = ({ history, updated_at }: Grant): number => history.at(-1)?.at ?? updated_at

/** Oldest first. */
export async function waiting(): Promise<Record<Waiting, GrantItem[]>> {
  const found: Record<Waiting, GrantItem[]> = { review: [], decision: [], release: [], verification: [] }
  const all = (await every('grant')).sort((a, b) => since(a) - since(b))
  for (const item of await Promise.all(all.filter(waitsFor).map(withWho))) found[waitsFor(item.grant)!].push(item)
  return found
}

export interface GrantView extends GrantItem {
  village: string
  evidence: Evidence[]
  signatures: Signature[]
  acknowledgements: { received: Acknowledgement; signature: Signature | null; evidence: Evidence[] }[]
  receipts: Evidence[]
  people: Map<Id, Person>
}

export async function grantView(id: Id): Promise<GrantView | null> {
  const grant = await one('grant', id)
  if (!grant) return null
  const [who, village, evidence, signatures, received, receipts] = await Promise.all([
    withWho(grant),
    placePath(grant.place),
    about('evidence', id),
    about('signature', id),
    about('acknowledgement', id),
    grant.utilisation?.id ? about('evidence', grant.utilisation.id) : [],
  ])
  const acknowledgements = await Promise.all(
    received
      .sort((a, b) => a.received_at - b.received_at)
      .map(async (each) => ({
        received: each,
        signature: (await about('signature', each.id))[0] ?? null,
        evidence: live(await about('evidence', each.id)),
      })),
  )
  const acting = [
    ...grant.history.map(({ by }) => by),
    ...grant.tranches.flatMap(({ released_by, acknowledged_by }) => [released_by, acknowledged_by]),
    ...received.map(({ recorded_by }) => recorded_by),
    grant.utilisation?.submitted_by,
    grant.utilisation?.decided_by,
  ].filter((each): each is Id => Boolean(each))
  const people = new Map<Id, Person>()
  for (const each of new Set(acting)) {
    const found = await person(each)
    if (found) people.set(each, found)
  }
  return { ...who, village, evidence: live(evidence), signatures: current(signatures), acknowledgements, receipts: live(receipts), people }
}

const live = (evidence: Evidence[]) => evidence.filter(({ superseded_by }) => !superseded_by)
const current = (signatures: Signature[]) => signatures.filter(({ superseded_by }) => !superseded_by)

/** Of a household, alone or in a group; latest first. */
export async function grantsOf({ household, group }: { household?: Id; group?: Id }): Promise<GrantItem[]> {
  const all = (await every('grant')).filter((grant) =>
    group ? grant.group === group : grant.households.includes(household ?? ''),
  )
  return Promise.all(all.sort((a, b) => b.submitted_at - a.submitted_at).map(withWho))
}

export interface Applicant {
  household: Household | null
  group: Group | null
  households: Household[]
  name: string
  place: Id
}

export async function applicant(household: Id | null, group: Id | null): Promise<Applicant | null> {
  const [home, ours] = [household ? await one('household', household) : null, group ? await one('group', group) : null]
  if (ours) {
    const homes = await Promise.all(ours.members.map((member) => one('household', member.household)))
    return { household: null, group: ours, households: homes.flatMap((each) => each ?? []), name: ours.name, place: ours.place }
  }
  return home && { household: home, group: null, households: [home], name: home.head_name, place: home.place }
}

export interface Choice {
  policy: Policy
  programme: Programme | null
  asked: Asked[]
  /** Another grant of this kind that they have already. */
  has: Grant | null
}

/** What these may apply for: the active policies of the programmes in which they take part. */
export async function choices({ group, households }: Applicant, but: Id): Promise<Choice[]> {
  const homes = households.map(({ id }) => id)
  const [policies, all, enrolments] = await Promise.all([
    every('policy'),
    every('grant'),
    Promise.all(homes.map((home) => about('enrolment', home))),
  ])
  const takePart = (programme: Id) =>
    homes.length > 0 && enrolments.every((own) => own.some((one) => one.programme === programme && one.state === 'active'))
  const theirs = all.filter((grant) => grant.households.some((home) => homes.includes(home)))
  const open = policies.filter(
    ({ active: on, unit, programme }) =>
      on && (unit === 'either' || unit === (group ? 'group' : 'household')) &&
      (!group || group.programme === programme) && takePart(programme),
  )
  return Promise.all(
    open.map(async (policy) => {
      const ladders = new Map<Id, Milestone[]>(
        homes.map((home, at) => [home, enrolments[at]!.find((one) => one.programme === policy.programme)?.milestones ?? []]),
      )
      const known = {
        now: now(),
        grants: theirs.filter(({ programme, id }) => programme === policy.programme && id !== but),
        group,
        ladders,
        rating: group ? await rating(group.id) : null,
      }
      return {
        policy,
        programme: await one('programme', policy.programme),
        asked: askedOf(policy, homes, known),
        has: underWay(policy, homes, theirs, but),
      }
    }),
  )
}

async function rating(group: Id): Promise<number | null> {
  const surveys = (await about('survey', group)).filter(({ kind }) => kind === 'performance')
  return surveys.sort((a, b) => b.surveyed_at - a.surveyed_at)[0]?.score ?? null
}

/** What a mentor does today: money that was released and not acknowledged, and reports that are due or came back. */
export async function dueGrants(): Promise<{ receive: GrantItem[]; use: GrantItem[]; returned: GrantItem[] }> {
  const me = (await readMeta('session'))?.member
  const [paid, received, back] = await Promise.all([inState('grant', 'disbursing'), inState('grant', 'disbursed'), inState('grant', 'returned')])
  const open = [...paid, ...received]
  const receive = open.filter((grant) => grant.tranches.some((part) => part.state === 'released' && part.released_by !== me?.id))
  const use = open
    .filter((grant) => isReceived(grant) && (grant.utilisation?.state === 'due' || grant.utilisation?.state === 'returned'))
    .sort((a, b) => (a.utilisation!.due_on < b.utilisation!.due_on ? -1 : 1))
  const mine = back.filter(({ submitted_by }) => submitted_by === me?.id)
  const [a, b, c] = await Promise.all([receive, use, mine].map((list) => Promise.all(list.map(withWho))))
  return { receive: a!, use: b!, returned: c! }
}

/** What this phone holds of one acknowledgement. */
export async function keptReceipt(id: Id): Promise<{ grant: Grant; acknowledgement: Acknowledgement; signature: Signature | null } | null> {
  const acknowledgement = await one('acknowledgement', id)
  const grant = acknowledgement && (await one('grant', acknowledgement.grant))
  if (!acknowledgement || !grant) return null
  return { grant, acknowledgement, signature: (await about('signature', id))[0] ?? null }
}
