// What must have happened before a grant is applied for, as far as this phone knows; the server looks again.
import type { Grant, Group, Health, Milestone, PolicyFacts } from '../api/grants'
import type { Id } from '../api/records'
import { DAY } from '../clock'

export type Need = 'grant' | 'utilised' | 'days_since' | 'health' | 'milestone' | 'rating'

export interface Known {
  now: number
  /** Of the applicants, in the policy's programme. */
  grants: Grant[]
  group: Pick<Group, 'health'> | null
  ladders: Map<Id, Milestone[]>
  /** Score of the latest performance survey. */
  rating: number | null
}

export interface Asked {
  need: Need
  met: boolean
  /** Which milestone, how many days, which score, which grant. */
  value: string | number
  /** What there is instead. */
  found: string | number | null
}

const OVER = ['rejected', 'cancelled', 'expired']
/** Everything of it was received. */
const HAD = ['disbursed', 'utilised', 'closed']

/** Each condition of the policy with whether it is met. */
export function askedOf(policy: PolicyFacts, households: Id[], known: Known): Asked[] {
  const { needs } = policy
  const before = households.map((home) =>
    known.grants.filter(({ policy: { key }, households: theirs, state }) => key === needs.grant && theirs.includes(home) && HAD.includes(state)),
  )
  const all = (test: (grant: Grant) => boolean) => households.length > 0 && before.every((grants) => grants.some(test))
  const list: Asked[] = []
  if (needs.grant) list.push({ need: 'grant', value: needs.grant, met: all(() => true), found: null })
  if (needs.utilised) list.push({ need: 'utilised', value: needs.grant ?? '', met: all((grant) => grant.utilisation?.state === 'verified'), found: null })
  if (needs.days_since !== null) {
    const days = before.map((grants) => Math.max(-1, ...grants.map((grant) => daysSince(grant, known.now))))
    const least = days.length ? Math.min(...days) : -1
    list.push({ need: 'days_since', value: needs.days_since, met: least >= needs.days_since, found: least < 0 ? null : least })
  }
  if (needs.health.length) {
    const health: Health | null = known.group?.health ?? null
    list.push({ need: 'health', value: needs.health.join(' '), met: health !== null && needs.health.includes(health), found: health })
  }
  for (const number of needs.milestones) {
    const met = households.length > 0 && households.every((home) => done(known.ladders.get(home), number))
    list.push({ need: 'milestone', value: number, met, found: null })
  }
  if (needs.rating_least !== null)
    list.push({ need: 'rating', value: needs.rating_least, met: (known.rating ?? -1) >= needs.rating_least, found: known.rating })
  return list
}

/** One of this kind that is under way or was had: a second one is refused. */
export const underWay = (policy: Pick<PolicyFacts, 'key' | 'programme'>, households: Id[], grants: Grant[], but: Id): Grant | null =>
  grants.find(
    ({ id, policy: { key, programme }, state, households: theirs }) =>
      id !== but && key === policy.key && programme === policy.programme && !OVER.includes(state) && theirs.some((one) => households.includes(one)),
  ) ?? null

function daysSince({ tranches }: Grant, now: number): number {
  const at = tranches.flatMap(({ acknowledged_at }) => (acknowledged_at === null ? [] : [acknowledged_at]))
  return at.length ? Math.floor((now - Math.min(...at)) / DAY) : -1
}

const done = (ladder: Milestone[] | undefined, number: number) =>
  ladder?.some((rung) => rung.number === number && (rung.state === 'completed' || rung.state === 'skipped')) ?? false
