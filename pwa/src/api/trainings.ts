// Names the records and commands of trainings, as the API shows them.
import type { Text } from './grants'
import type { Id, Millis } from './records'

/** What is taught, and after what. */
export interface ModuleFacts {
  /** 1 … 999 */
  number: number
  title: Text
  prerequisite: Id | null
  active: boolean
}

export interface TrainingModule extends ModuleFacts {
  id: Id
  updated_at: Millis
  revision: number
}

export type Presence = 'full' | 'partial' | 'absent'

export interface Mark {
  presence: Presence
  arrived_at: Millis | null
  left_at: Millis | null
}

export interface Seat {
  household: Id
  /** None before somebody recorded it. */
  mark: Mark | null
  by: Id | null
  at: Millis | null
}

export interface Training {
  id: Id
  number: string | null
  /** The village; also the feed. */
  place: Id
  module: Id
  venue: string
  starts_at: Millis
  ends_at: Millis
  capacity: number
  trainer: Id
  seats: Seat[]
  /** Who had not attended the prerequisite when it was planned. */
  lacking: Id[]
  state: 'scheduled' | 'held' | 'cancelled'
  /** These the server says. */
  reason?: string
  planned_by?: Id
  planned_at?: Millis
  planned_revision: number
  held_by?: Id | null
  held_at?: Millis | null
  created_at: Millis
  updated_at: Millis
  revision: number
}

export interface TrainingPlan {
  venue: string
  starts_at: Millis
  ends_at: Millis
  capacity: number
  trainer: Id
  households: Id[]
  despite_prerequisite: boolean
}

export interface TrainingRecords {
  training_module: TrainingModule
  training: Training
}

export interface TrainingCommands {
  'training.schedule': TrainingPlan & { id: Id; module: Id; place: Id }
  /** `planned_revision`: of the plan that was looked at. */
  'training.change': TrainingPlan & { id: Id; planned_revision: number }
  'training.cancel': { id: Id; reason: string }
  'training.attend': { id: Id; marks: { household: Id; was: Mark | null; now: Mark | null }[] }
  'training.hold': { id: Id }
}
