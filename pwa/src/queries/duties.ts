// What a mentor owes beside visits: money to be acknowledged, reports on its use, and steps of the ladder that are late.
import type { Grant, Tranche } from '../api/grants'
import type { Enrolment, Household, Id } from '../api/records'
import { now } from '../clock'
import { readMeta } from '../db/account'
import { lateOf, type Late } from '../figures/late'
import { wall } from '../shell/zone.svelte'
import { every, inState, one } from './records'

export interface GrantDuty {
  grant: Grant
  tranche: Tranche | null
  /** Of the group, or of the household's head. */
  name: string
  household: Household | null
}
export interface LateDuty {
  enrolment: Enrolment
  late: Late
  household: Household | null
}
export interface Duties {
  acknowledge: GrantDuty[]
  use: GrantDuty[]
  late: LateDuty[]
}

export async function duties(): Promise<Duties> {
  const me = (await readMeta('session'))?.member
  const mine = me?.role === 'mentor' ? me.id : null
  const [disbursing, disbursed, active, cycles] = await Promise.all([
    inState('grant', 'disbursing'),
    inState('grant', 'disbursed'),
    inState('enrolment', 'active'),
    every('cycle'),
  ])
  const paid = [...disbursing, ...disbursed]
  const known = new Map(cycles.map((cycle) => [cycle.id, cycle]))
  const today = wall(now()).toISOString().slice(0, 10)
  const acknowledge = paid.flatMap((grant) =>
    grant.tranches.filter(({ state }) => state === 'released').map((tranche) => ({ grant, tranche })),
  )
  // A report that is not due for a long time yet is nobody's work of today.
  const use = paid.filter(({ utilisation }) => utilisation?.state === 'returned' || (utilisation?.state === 'due' && utilisation.due_on <= soon(today)))
  const late = active.flatMap((enrolment) => {
    const found = !mine || enrolment.mentor === mine ? lateOf(enrolment, known, now()) : null
    return found ? [{ enrolment, late: found }] : []
  })
  return {
    acknowledge: await Promise.all(
      acknowledge
        .sort((a, b) => (a.tranche.released_at ?? 0) - (b.tranche.released_at ?? 0))
        .map(async (duty) => ({ ...duty, ...(await whose(duty.grant)) })),
    ),
    use: await Promise.all(
      use
        .sort((a, b) => a.utilisation!.due_on.localeCompare(b.utilisation!.due_on))
        .map(async (grant) => ({ grant, tranche: null, ...(await whose(grant)) })),
    ),
    late: await Promise.all(
      late
        .sort((a, b) => b.late.days - a.late.days)
        .map(async (duty) => ({ ...duty, household: await one('household', duty.enrolment.household) })),
    ),
  }
}

/** Two weeks on. */
const soon = (today: string): string => new Date(Date.parse(today) + 14 * 86_400_000).toISOString().slice(0, 10)

async function whose(grant: Grant): Promise<{ name: string; household: Household | null }> {
  const household = await one('household', (grant.household ?? grant.households[0]) as Id)
  const group = grant.group ? await one('group', grant.group) : null
  return { name: group?.name ?? household?.head_name ?? '', household }
}
