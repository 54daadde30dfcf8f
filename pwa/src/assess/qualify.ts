// Whether a household qualifies, as far as this phone can know; the places left, only the server counts.
import type { Enrolment, Household, Id, Programme } from '../api/records'
import { family } from '../queries/households'
import { person } from '../queries/people'
import { about, every, one } from '../queries/records'
import { visitsOf } from '../queries/visits'
import type { Counting, Instrument } from './instrument'
import ways from './ways.json'

export interface Verdict {
  qualification: 'qualified' | 'needs_review' | 'not_qualified'
  blocks: string[]
}

const TOOK_PART = ['active', 'suspended', 'transferred', 'graduated', 'dropped_out']
const closed = ({ state }: Enrolment) => Object.keys(ways[state]).length === 0

/** On its way in this programme, or has been through it. */
export const underWay = (enrolments: Enrolment[], programme: Id): boolean =>
  enrolments.some((one) => one.programme === programme && (!closed(one) || TOOK_PART.includes(one.state)))

export async function qualify(
  programme: Programme,
  instrument: Instrument,
  home: Household,
  counted: Counting,
  consent: boolean,
): Promise<Verdict> {
  const blocks = [...counted.failed]
  const block = (wrong: boolean, what: string) => {
    if (wrong && !blocks.includes(what)) blocks.push(what)
  }
  const ids = await family(home.id)
  const enrolments = (await Promise.all(ids.map((id) => about('enrolment', id)))).flat()
  block(counted.then === 'review', counted.outcome)
  block(programme.status !== 'open', 'closed')
  block(!consent || (await withdrew(ids)), 'consent')
  block(!(await covers(programme, home.place)), 'area')
  block(enrolments.some((one) => TOOK_PART.includes(one.state)) || underWay(enrolments, programme.id), 'earlier')
  for (const known of instrument.requires) {
    const there = known === 'signature' ? await signed(ids) : home[known as 'national_id' | 'phone']
    block(!there, known)
  }
  const qualification = counted.then === 'no' ? 'not_qualified' : blocks.length ? 'needs_review' : 'qualified'
  return { qualification, blocks }
}

async function covers({ places }: Programme, village: Id): Promise<boolean> {
  if (!places.length) return true
  for (let at: Id | null = village, steps = 0; at && steps < 10; steps++) {
    if (places.includes(at)) return true
    at = (await one('place', at))?.parent ?? null
  }
  return false
}

/** Whether the latest word of these households, which are one, is that they withdrew. */
async function withdrew(households: Id[]): Promise<boolean> {
  const steps = (await Promise.all(households.map((id) => one('household', id)))).flatMap((home) => home?.consents ?? [])
  return steps.reduce((last, step) => (step.at >= (last?.at ?? 0) ? step : last), steps[0])?.event === 'withdrawn'
}

async function signed(households: Id[]): Promise<boolean> {
  const visits = (await Promise.all(households.map((id) => visitsOf(id)))).flat()
  const subjects = [...households, ...visits.map(({ id }) => id)]
  const found = await Promise.all(subjects.map((subject) => about('signature', subject)))
  return found.some(({ length }) => length > 0)
}

/** Those that take applications, by name. */
export const openProgrammes = async (): Promise<Programme[]> =>
  (await every('programme')).filter(({ status }) => status === 'open').sort((a, b) => a.name.localeCompare(b.name))

export const nameOf = async (id: Id | null): Promise<string> => (id ? ((await person(id))?.name ?? '') : '')
