// What the plan of a training holds while it is filled in, what is still missing, and the command that comes of it.
import type { Training, TrainingPlan } from '../api/trainings'
import type { Id } from '../api/records'
import { m } from '../paraglide/messages.js'
import { localInput } from '../shell/inputs'

export const CAPACITY = 25
export const MOST = 200

export interface PlanForm {
  /** The session that is changed; none when it is planned. */
  of: Id | null
  module: Id
  place: Id
  venue: string
  /** As datetime-local inputs hold them. */
  starts: string
  ends: string
  capacity: string
  trainer: Id
  households: Id[]
  despite: boolean
}

/** Tomorrow morning, for two hours. */
export function blank(trainer: Id, now: string): PlanForm {
  const tomorrow = new Date(Date.parse(`${now}Z`) + 86_400_000).toISOString().slice(0, 10)
  return {
    of: null, module: '', place: '', venue: '', starts: `${tomorrow}T09:00`, ends: `${tomorrow}T11:00`,
    capacity: String(CAPACITY), trainer, households: [], despite: false,
  }
}

export const formOf = (training: Training): PlanForm => ({
  of: training.id,
  module: training.module,
  place: training.place,
  venue: training.venue,
  starts: localInput(training.starts_at),
  ends: localInput(training.ends_at),
  capacity: String(training.capacity),
  trainer: training.trainer,
  households: training.seats.map(({ household }) => household),
  despite: training.lacking.length > 0,
})

/** By the id of the field. `lacking`: how many of those invited have not attended what comes before. */
export function faults(form: PlanForm, lacking: number): Record<string, string> {
  const found: Record<string, string> = {}
  if (!form.module) found.module = m.training_fault_module()
  if (!form.place) found.place = m.training_fault_place()
  if (!form.venue.trim()) found.venue = m.training_fault_venue()
  if (!form.starts) found.starts = m.training_fault_starts()
  if (!form.ends || form.ends <= form.starts) found.ends = m.training_fault_ends()
  if (!form.trainer) found.trainer = m.training_fault_trainer()
  const seats = /^\d{1,3}$/.test(form.capacity.trim()) ? Number(form.capacity) : 0
  if (seats < 1 || seats > MOST) found.capacity = m.training_fault_capacity({ most: MOST })
  else if (form.households.length > seats) found.households = m.training_fault_full({ count: form.households.length, of: seats })
  if (lacking && !form.despite) found.despite = m.training_fault_despite()
  return found
}

/** Of a form without faults. */
export const planOf = (form: PlanForm, moment: (text: string) => number): TrainingPlan => ({
  venue: form.venue.trim(),
  starts_at: moment(form.starts),
  ends_at: moment(form.ends),
  capacity: Number(form.capacity),
  trainer: form.trainer,
  households: form.households,
  despite_prerequisite: form.despite,
})
