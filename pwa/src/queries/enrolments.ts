// Enrolments that wait for somebody who decides.
import type { Enrolment, EnrolmentState } from '../api/records'
import { database } from '../db/account'
import { inState } from './records'

/** States in which the next step is a supervisor's. */
const WAITING: EnrolmentState[] = ['applied', 'screening', 'verification', 'qualified', 'approved']

/** Those that wait longest first. */
export async function waitingEnrolments(): Promise<Enrolment[]> {
  const found = await Promise.all(WAITING.map((state) => inState('enrolment', state)))
  return found.flat().sort((a, b) => a.updated_at - b.updated_at)
}

/** Whether anybody takes part in a programme. */
export const begun = async (): Promise<boolean> => (await database().countFromIndex('records', 'state', ['enrolment', 'active'])) > 0
