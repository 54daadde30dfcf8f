// Where the next step of a ladder is taken: the form that completes it, as far as this person may fill it in.
import type { Group } from '../api/grants'
import type { Id } from '../api/records'
import { m } from '../paraglide/messages.js'

export interface Door {
  href: string
  label: string
}

export function doorOf(key: string, household: Id, group: Group | null, can: (capability: string) => boolean): Door | null {
  const survey = (kind: string) =>
    group && can('households.write') ? { href: `/groups/${group.id}/survey?kind=${kind}`, label: m.ladder_door_survey() } : null
  const assess = (stage: string) =>
    can('programmes.assess') ? { href: `/households/${household}/assess?stage=${stage}`, label: m.ladder_door_assess() } : null
  switch (key) {
    case 'first_training':
      return can('visits.record') ? { href: `/visits/new?household=${household}`, label: m.ladder_door_visit() } : null
    case 'business_group':
      return can('households.write') ? { href: `/groups/new?household=${household}`, label: m.ladder_door_group() } : null
    case 'business_plan':
    case 'sb_application':
    case 'pr_application':
      return can('grants.prepare')
        ? { href: `/grants/new?${group ? `group=${group.id}` : `household=${household}`}`, label: m.ladder_door_grant() }
        : null
    case 'business_operating':
      return survey('progress')
    case 'pr_eligibility':
      return survey('performance')
    case 'final_business':
      return survey('final')
    case 'midterm':
      return assess('midterm')
    case 'graduation':
      return assess('graduation')
    default:
      return null
  }
}
