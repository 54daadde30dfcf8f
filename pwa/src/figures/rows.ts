// Which rows stand behind a figure, where they are shown, and whose turn it is.
import type { EnrolmentState } from '../api/records'
import { stateLabel } from '../assess/words'
import { m } from '../paraglide/messages.js'
import type { Figures } from './ask'

type Can = (capability: string) => boolean
export type Waiting = Figures['waiting'][number]

export interface WaitingRow extends Waiting {
  key: string
  label: string
  href: string
  /** This person may decide on them. */
  yours: boolean
}

const grants: Record<string, { label: () => string; by: string[] }> = {
  submitted: { label: m.figures_wait_grant_submitted, by: ['grants.review'] },
  in_review: { label: m.figures_wait_grant_in_review, by: ['grants.review'] },
  recommended: { label: m.figures_wait_grant_recommended, by: ['grants.approve', 'grants.approve_within'] },
}

/** One's own first, then what waits longest. */
export function waitingRows(waiting: Waiting[], can: Can): WaitingRow[] {
  const rows = waiting.map((one): WaitingRow => {
    const row = (label: string, href: string, ...by: string[]) => ({ ...one, key: `${one.what} ${one.state}`, label, href, yours: by.some(can) })
    const { what, state } = one
    if (what === 'visit') return row(m.figures_wait_visit(), can('visits.decide') ? '/queue' : '/visits?state=submitted', 'visits.decide')
    if (what === 'enrolment')
      return row(m.figures_wait_enrolment({ state: stateLabel(state as EnrolmentState) }), `/enrolments?state=${state}`, 'enrolments.decide')
    if (what === 'release') return row(m.figures_wait_release(), '/grants?state=approved', 'grants.release')
    if (what === 'utilisation') return row(m.figures_wait_utilisation(), '/grants?state=disbursed', 'grants.review')
    const known = grants[state]
    return row(known?.label() ?? state, `/grants?state=${state}`, ...(known?.by ?? []))
  })
  return rows.sort((a, b) => Number(b.yours) - Number(a.yours) || a.oldest_at - b.oldest_at)
}

const states: Record<string, () => string> = {
  draft: m.figures_grant_draft,
  submitted: m.figures_grant_submitted,
  in_review: m.figures_grant_in_review,
  recommended: m.figures_grant_recommended,
  approved: m.figures_grant_approved,
  disbursing: m.figures_grant_disbursing,
  disbursed: m.figures_grant_disbursed,
  utilised: m.figures_grant_utilised,
  closed: m.figures_grant_closed,
  returned: m.figures_grant_returned,
  rejected: m.figures_grant_rejected,
  cancelled: m.figures_grant_cancelled,
  expired: m.figures_grant_expired,
}
const ORDER = Object.keys(states)
export const grantLabel = (state: string): string => states[state]?.() ?? state

/** In the order of a grant's way. */
export const inOrder = <T extends { state: string }>(rows: T[]): T[] =>
  [...rows].sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state))

/** In the order of an enrolment's way; those that ended come last. */
const WAY = ['applied', 'screening', 'verification', 'qualified', 'waitlisted', 'approved', 'active', 'suspended', 'transferred', 'graduated', 'rejected', 'withdrawn', 'dropped_out']
export const onTheWay = <T extends { state: string }>(rows: T[]): T[] =>
  [...rows].sort((a, b) => WAY.indexOf(a.state) - WAY.indexOf(b.state))
export const ENROLMENT_STATES = WAY as EnrolmentState[]
