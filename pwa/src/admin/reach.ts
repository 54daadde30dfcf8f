// What a role reaches: modules, levels in them, and whose rows; in words.
import { m } from '../paraglide/messages.js'

export const MODULES = ['households', 'visits', 'programmes', 'figures', 'places', 'members', 'organisation'] as const
export type Module = (typeof MODULES)[number]
export type Level = 'none' | 'read' | 'contribute' | 'manage' | 'approve'
/** Modules an organisation may switch off. */
export const OPTIONAL = ['households', 'visits', 'figures', 'home'] as const
export const REACHES = ['organisation', 'places', 'team', 'own'] as const

/** Only levels that add something in the module. */
export const LEVELS_OF: Record<Module, Level[]> = {
  households: ['none', 'read', 'contribute', 'manage'],
  visits: ['none', 'read', 'contribute', 'manage', 'approve'],
  programmes: ['none', 'read', 'contribute', 'manage', 'approve'],
  figures: ['none', 'read'],
  places: ['none', 'read', 'contribute', 'manage'],
  members: ['none', 'read', 'manage', 'approve'],
  organisation: ['none', 'manage'],
}

const texts: Record<string, () => string> = {
  households: m.module_households,
  visits: m.module_visits,
  programmes: m.module_programmes,
  figures: m.module_figures,
  places: m.module_places,
  members: m.module_members,
  organisation: m.module_organisation,
  home: m.module_home,
  none: m.level_none,
  read: m.level_read,
  contribute: m.level_contribute,
  manage: m.level_manage,
  approve: m.level_approve,
}
const reaches: Record<string, () => string> = {
  organisation: m.reach_organisation,
  places: m.reach_places,
  team: m.reach_team,
  own: m.reach_own,
}
const word = (key: string | undefined) => (key ? (texts[key]?.() ?? key) : '')
export const moduleLabel = word
export const levelLabel = word
export const reachLabel = (key: string): string => reaches[key]?.() ?? key
