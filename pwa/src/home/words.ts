// The catalogue's words for a household, in its own language rather than in that of the phone.
import type { GrantState } from '../api/grants'
import type { Language, Millis } from '../api/records'
import { m } from '../paraglide/messages.js'
import { wall } from '../shell/zone.svelte'
import type { OwnPart } from './own'

type Said = (inputs: Record<string, never>, options: { locale: Language }) => string
const grants: Record<GrantState, Said> = {
  draft: m.home_grant_draft,
  submitted: m.home_grant_submitted,
  in_review: m.home_grant_in_review,
  recommended: m.home_grant_recommended,
  approved: m.home_grant_approved,
  disbursing: m.home_grant_disbursing,
  disbursed: m.home_grant_disbursed,
  utilised: m.home_grant_utilised,
  closed: m.home_grant_closed,
  returned: m.home_grant_returned,
  rejected: m.home_grant_rejected,
  cancelled: m.home_grant_cancelled,
  expired: m.home_grant_expired,
}
export const grantWords = (state: GrantState, locale: Language): string => grants[state]({}, { locale })

/** "20 November 2026" */
export function dayWords(at: Millis, locale: Language): string {
  const date = wall(at)
  return `${date.getUTCDate()} ${m.dates_months({}, { locale }).split(',')[date.getUTCMonth()]} ${date.getUTCFullYear()}`
}

export function partWords({ state, at }: OwnPart, locale: Language): string {
  const date = at === null ? '' : dayWords(at, locale)
  if (state === 'released') return m.home_part_released({ date }, { locale })
  if (state === 'acknowledged') return m.home_part_acknowledged({ date }, { locale })
  const words = { scheduled: m.home_part_scheduled, disputed: m.home_part_disputed, failed: m.home_part_failed, reversed: m.home_part_reversed }
  return words[state]({}, { locale })
}
