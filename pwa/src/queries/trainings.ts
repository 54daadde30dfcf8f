// What views ask about trainings: all sessions, one with its people, what a household attended, and who could be invited.
import type { Conflict, Household, Id, Person, Place } from '../api/records'
import type { Training, TrainingModule } from '../api/trainings'
import { conflicts } from './households'
import { every, inState, one } from './records'

export interface TrainingItem {
  training: Training
  module: TrainingModule | null
  place: string
  trainer: string
}

export async function trainings(): Promise<TrainingItem[]> {
  const [all, modules, places, people] = await Promise.all([every('training'), every('training_module'), every('place'), every('person')])
  const names = new Map<Id, string>([...places, ...people].map(({ id, name }) => [id, name]))
  const of = new Map(modules.map((module) => [module.id, module]))
  return all.map((training) => ({
    training,
    module: of.get(training.module) ?? null,
    place: names.get(training.place) ?? '',
    trainer: names.get(training.trainer) ?? '',
  }))
}

export interface TrainingView extends TrainingItem {
  homes: Map<Id, Household>
  open: Conflict[]
}

export async function training(id: Id): Promise<TrainingView | null> {
  const found = await one('training', id)
  if (!found) return null
  const [module, place, trainer, open] = await Promise.all([
    one('training_module', found.module), one('place', found.place), one('person', found.trainer), conflicts(id),
  ])
  const homes = await Promise.all(found.seats.map(({ household }) => one('household', household)))
  return {
    training: found,
    module,
    place: place?.name ?? '',
    trainer: trainer?.name ?? '',
    homes: new Map(homes.flatMap((home) => (home ? [[home.id, home] as const] : []))),
    open,
  }
}

const was = (training: Training, ids: Id[]) => training.seats.find(({ household }) => ids.includes(household))

/** Latest first. */
export const trainingsOf = async (ids: Id[]): Promise<TrainingItem[]> =>
  (await trainings()).filter(({ training }) => was(training, ids)).sort((a, b) => b.training.starts_at - a.training.starts_at)

/** Of the invitations of these households to sessions that were held: how many were attended, in full and in part. */
export async function attendance(ids: Id[]): Promise<{ held: number; full: number; partial: number }> {
  const held = (await every('training')).filter(({ state }) => state === 'held')
  const marks = held.flatMap(({ seats }) => seats.filter(({ household }) => ids.includes(household)).map(({ mark }) => mark?.presence))
  const count = (presence: string) => marks.filter((one) => one === presence).length
  return { held: marks.length, full: count('full'), partial: count('partial') }
}

export interface Invitable {
  modules: TrainingModule[]
  villages: Place[]
  trainers: Person[]
  homes: Household[]
  /** By module: who attended it, as far as this phone knows. */
  attended: Map<Id, Set<Id>>
}

/** Who takes part in a programme and can be invited; who could teach. */
export async function invitable(): Promise<Invitable> {
  const [enrolments, modules, places, people, sessions] = await Promise.all([
    inState('enrolment', 'active'), every('training_module'), every('place'), every('person'), every('training'),
  ])
  const homes = await Promise.all([...new Set(enrolments.map(({ household }) => household))].map((id) => one('household', id)))
  const known = homes.filter((home) => home !== null).sort((a, b) => a.head_name.localeCompare(b.head_name))
  const attended = new Map<Id, Set<Id>>()
  for (const { module, seats, state } of sessions) {
    if (state === 'cancelled') continue
    const there = attended.get(module) ?? new Set<Id>()
    for (const { household, mark } of seats) if (mark && mark.presence !== 'absent') there.add(household)
    attended.set(module, there)
  }
  return {
    modules: modules.sort((a, b) => a.number - b.number),
    villages: places.filter(({ id }) => known.some(({ place }) => place === id)).sort((a, b) => a.name.localeCompare(b.name)),
    trainers: people
      .filter(({ active, role }) => active && role !== 'beneficiary' && role !== 'oversight')
      .sort((a, b) => a.name.localeCompare(b.name)),
    homes: known,
    attended,
  }
}
