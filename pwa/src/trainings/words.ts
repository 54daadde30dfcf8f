// What trainings, and being there, are called.
import type { Mark, Presence, TrainingModule } from '../api/trainings'
import { said } from '../assess/words'
import { m } from '../paraglide/messages.js'
import { time } from '../shell/dates'
import { ban, clock } from '../ui/icons'
import { check } from '../ui/more-icons'

export const moduleLabel = (module: TrainingModule | null): string => (module ? `${module.number}. ${said(module.title)}` : m.topic_training())

const presences: Record<Presence, () => string> = { full: m.training_full, partial: m.training_partial, absent: m.training_absent }
export const PRESENCES = Object.keys(presences) as Presence[]
export const presenceLabel = (presence: Presence | undefined): string => (presence ? presences[presence]() : m.training_unmarked())
export const presenceIcon: Record<Presence, string> = { full: check, partial: clock, absent: ban }

/** "10:05 – 12:00" */
export const times = (mark: Mark | null): string =>
  mark?.arrived_at || mark?.left_at ? [mark.arrived_at, mark.left_at].map((at) => (at ? time(at) : '…')).join(' – ') : ''
