// The catalogue's words for groups and surveys: roles, types, health, kinds, ratings.
import type { GroupRole, GroupType, Health, SurveyKind } from '../api/grants'
import { m } from '../paraglide/messages.js'
import { alert, ban, checkCircle, wallet } from '../ui/icons'
import { business, education, nutrition, settings } from '../ui/more-icons'

const roles: Record<GroupRole, () => string> = {
  leader: m.groups_role_leader,
  treasurer: m.groups_role_treasurer,
  secretary: m.groups_role_secretary,
  member: m.groups_role_member,
}
export const ROLES = Object.keys(roles) as GroupRole[]
export const roleLabel = (role: string): string => roles[role as GroupRole]?.() ?? role

const types: Record<GroupType, () => string> = {
  crop: m.groups_type_crop,
  retail: m.groups_type_retail,
  service: m.groups_type_service,
  livestock: m.groups_type_livestock,
  skill: m.groups_type_skill,
}
export const TYPES = Object.keys(types) as GroupType[]
export const typeLabel = (type: string): string => types[type as GroupType]?.() ?? type
export const typeIcon: Record<GroupType, string> = { crop: nutrition, retail: business, service: settings, livestock: wallet, skill: education }

const healths: Record<Health, () => string> = {
  green: m.groups_health_green,
  yellow: m.groups_health_yellow,
  red: m.groups_health_red,
}
export const HEALTHS = Object.keys(healths) as Health[]
/** Says the colour too: people speak of "the red groups". */
export const healthLabel = (health: string): string => healths[health as Health]?.() ?? health
export const healthIcon: Record<Health, string> = { green: checkCircle, yellow: alert, red: ban }
export const healthTone = { green: 'good', yellow: 'warn', red: 'bad' } as const

const kinds: Record<SurveyKind, () => string> = {
  progress: m.survey_kind_progress,
  performance: m.survey_kind_performance,
  final: m.survey_kind_final,
}
export const KINDS = Object.keys(kinds) as SurveyKind[]
export const kindLabel = (kind: string): string => kinds[kind as SurveyKind]?.() ?? kind

export type Rating = 'excellent' | 'good' | 'satisfactory' | 'poor'
export const ratingOf = (score: number): Rating =>
  score >= 90 ? 'excellent' : score >= 70 ? 'good' : score >= 60 ? 'satisfactory' : 'poor'
const ratings: Record<Rating, () => string> = {
  excellent: m.survey_rating_excellent,
  good: m.survey_rating_good,
  satisfactory: m.survey_rating_satisfactory,
  poor: m.survey_rating_poor,
}
export const ratingLabel = (score: number): string => ratings[ratingOf(score)]()
