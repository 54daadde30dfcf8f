// The catalogue's words for what a policy says.
import type { Health, PolicyFacts } from '../../api/grants'
import type { Words } from '../../assess/instrument'
import { m } from '../../paraglide/messages.js'
import { milestones as ladder } from '../../../../instruments/milestones-1.json'
import { said } from '../../assess/words'

const units = { household: m.policy_unit_household, group: m.policy_unit_group, either: m.policy_unit_either }
export const UNITS = ['household', 'group', 'either'] as const
export const unitLabel = (unit: string): string => units[unit as PolicyFacts['unit']]()

const healths = { green: m.policy_health_green, yellow: m.policy_health_yellow, red: m.policy_health_red }
export const HEALTHS = ['green', 'yellow', 'red'] as const
export const healthLabel = (health: string): string => healths[health as Health]()

const kinds = { whole: m.policy_kind_whole, choice: m.policy_kind_choice }
export const KINDS = ['choice', 'whole'] as const
export const kindLabel = (kind: string): string => kinds[kind as keyof typeof kinds]()

const measures: Record<string, () => string> = {
  none: m.policy_measure_none,
  percent: m.policy_measure_percent,
  money: m.policy_measure_money,
  km: m.policy_measure_km,
}
export const MEASURES = ['none', 'percent', 'money', 'km'] as const
export const measureLabel = (measure: string): string => (measures[measure] ?? m.policy_measure_none)()

/** The rungs, as options. */
export const rungs = (): { value: string; label: string }[] =>
  ladder.map(({ number, name }) => ({ value: String(number), label: `${number} ${said(name as Words)}` }))
