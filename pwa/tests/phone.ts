// A phone for tests: an account's database, someone signed in, and the engine turned by hand.
import { createHash, randomBytes } from 'node:crypto'
import type { HouseholdFields, VisitFields } from '../src/api/records'
import { keepCapture, type CaptureMeta } from '../src/captures/capture'
import { database, useAccount } from '../src/db/account'
import { newId } from '../src/ids'
import { actAs } from '../src/sync/author'
import { runCycle } from '../src/sync/cycle'

export const DEVICE = 'device-1'

export async function newPhone(): Promise<void> {
  await useAccount(newId(), new Uint8Array(randomBytes(32)))
  actAs({ member: 'member-1', device: DEVICE })
}

/** One turn of the engine; false when the network or the server failed. */
export async function turn(device = DEVICE): Promise<boolean> {
  try {
    await runCycle(database(), device)
    return true
  } catch {
    return false
  }
}

/** Turns until everything is delivered. */
export async function settle(most = 60): Promise<void> {
  for (let i = 0; i < most; i++) {
    if ((await turn()) && (await database().count('outbox')) === 0) return
  }
  throw new Error('the phone never came to rest')
}

export function household(over: Partial<HouseholdFields & { id: string }> = {}): HouseholdFields & { id: string } {
  return {
    id: newId(), place: 'village-1', head_name: 'Mama Achieng', head_sex: 'female', head_birth_date: null, national_id: null,
    phone: null, members: [], lat: null, lon: null, accuracy_m: null, monthly_income_minor: null, electricity: null,
    clean_water: null, disability: null, notes: null, ...over,
  }
}

export function findings(over: Partial<VisitFields> = {}): VisitFields {
  return {
    kind: 'scheduled', planned_at: null, started_at: 1_000, ended_at: 2_000, topics: ['business'], observations: '',
    recommendations: '', action_items: '', business_status: null, income_minor: null, support_needed: '', lat: null, lon: null,
    accuracy_m: null, no_gps_reason: 'no_fix', ...over,
  }
}

export async function photo(draft: string, subject: string, slot: string, size = 2_000): Promise<CaptureMeta> {
  const data = randomBytes(size)
  const bytes = new Uint8Array(data).buffer
  const sha256 = createHash('sha256').update(data).digest('hex')
  return keepCapture(
    { bytes, width: 16, height: 9, sha256, dark: false, blurred: false },
    { draft, subject_kind: 'visit', subject, slot },
  )
}
