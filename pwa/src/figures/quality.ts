// How complete the register is, as the server counts it, and the households behind a figure.
import { request } from '../api/client'
import type { components } from '../api/schema'
import { m } from '../paraglide/messages.js'

type Schemas = components['schemas']
export type Quality = Schemas['Quality']
export type Gap = Schemas['QualityGap']

export const GAPS: Gap[] = ['national_id', 'phone', 'members', 'position', 'head']

export const quality = (): Promise<Schemas['QualityFigures']> => request('/api/figures/quality')
export const behind = (of: Record<string, string>, after: string | null): Promise<Schemas['Page_HouseholdCard']> =>
  request(`/api/figures/quality/households?${new URLSearchParams({ ...of, ...(after ? { after } : {}) })}`)

const gaps: Record<Gap, () => string> = {
  national_id: m.quality_gap_national_id,
  phone: m.quality_gap_phone,
  members: m.quality_gap_members,
  position: m.quality_gap_position,
  head: m.quality_gap_head,
}
export const gapLabel = (gap: Gap): string => gaps[gap]()

const levels: Record<string, { tone: 'good' | 'info' | 'warn' | 'bad'; text: () => string }> = {
  excellent: { tone: 'good', text: m.quality_excellent },
  good: { tone: 'info', text: m.quality_good },
  attention: { tone: 'warn', text: m.quality_attention },
  critical: { tone: 'bad', text: m.quality_critical },
}
export const levelOf = ({ level }: Quality) => levels[level] ?? levels.critical!

/** What is missing most, in words. */
export const missing = ({ gaps: counts }: Quality): string =>
  counts
    .filter(({ households }) => households > 0)
    .map(({ gap, households }) => `${gapLabel(gap)}: ${households}`)
    .join(' · ')
