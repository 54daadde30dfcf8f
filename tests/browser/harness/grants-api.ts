// Brings a grant to where a story begins, by the API: applied for, decided, paid, received, reported.
import { createHash } from 'node:crypto'
import { type Api, type Household, uuid7 } from './api'
import type { Grant } from './granting'

interface Policy {
  id: string
  version: number
}
/** What the seed grant comes to for one household that trades in a village after all of the training. */
export const SEED = 1_559_300

export const grantNow = (by: Api, id: string): Promise<Grant> => by.get<Grant>(`/api/grants/${id}`)

/** Applied for by a household alone; again, with `again`, after it came back. */
export async function submit(mentor: Api, home: Household, policy: string, again?: { id: string; setting: 'town' | 'rural'; amount: number }): Promise<string> {
  const id = again?.id ?? uuid7()
  const { version } = (await mentor.all<Policy>('policy')).find((one) => one.id === policy)!
  const amount = again?.amount ?? SEED
  await mentor.command('grant.submit', {
    id,
    revision: again ? (await grantNow(mentor, id)).revision : null,
    policy,
    version,
    household: home.id,
    plan: {
      description: 'A kiosk by the road.', projected_income_minor: 900_000, monthly_expenses_minor: 400_000, startup_minor: 1_200_000,
      items: [{ what: 'Stock', quantity: 1, unit_minor: amount }],
    },
    answers: { business: 'retail', setting: again?.setting ?? 'rural', training: 100 },
    amount_minor: amount,
    note: '',
    signatures: [signed(mentor, 'grant', id, 'grant_application', home)],
    evidence: [],
  })
  return id
}

export async function decide(by: Api, id: string, ...events: ('review' | 'recommend' | 'return' | 'approve')[]): Promise<void> {
  for (const event of events) {
    const { revision, amount } = await grantNow(by, id)
    const [score, amount_minor] = [event === 'recommend' ? 80 : null, event === 'approve' ? amount.amount_minor : null]
    await by.command('grant.move', { id, revision, event, reason: 'as the story says', score, amount_minor })
  }
}

const part = async (by: Api, id: string, state: string) => {
  const { tranches, revision } = await grantNow(by, id)
  return { part: tranches.find((one) => one.state === state)!, revision }
}

export async function release(manager: Api, id: string, reference: string): Promise<void> {
  const { part: { id: tranche }, revision } = await part(manager, id, 'scheduled')
  const released_on = new Date().toISOString().slice(0, 10)
  await manager.command('grant.release', { id, revision, tranche, method: 'mobile_money', reference, released_on })
}

export async function acknowledge(mentor: Api, id: string, home: Household): Promise<void> {
  const own = uuid7()
  const { part: { id: tranche } } = await part(mentor, id, 'released')
  const signature = signed(mentor, 'acknowledgement', own, 'grant_acknowledgement', home)
  const position = { no_gps_reason: 'no_fix' }
  await mentor.command('grant.acknowledge', { id: own, grant: id, tranche, amount_minor: SEED, note: '', position, evidence: [announced('front')], signature })
}

/** A picture whose bytes are still on some phone. */
function announced(slot: string): object {
  const id = uuid7()
  const sha256 = createHash('sha256').update(id).digest('hex')
  return { id, slot, mime: 'image/jpeg', bytes: 40_000, sha256, width: 640, height: 480, captured_at: Date.now() }
}

/** By a device without a key: the server's own signature vouches. */
function signed(by: Api, subject_kind: string, subject: string, template: string, { head_name }: Household): object {
  const strokes = [Array.from({ length: 24 }, (_, at) => [at * 60, 400 + (at % 5) * 120, at * 16, 128])]
  const record = JSON.stringify({
    v: 1, id: uuid7(), subject_kind, subject, template, version: 1, language: 'en', statement: `I, ${head_name}, agree.`,
    signer_name: head_name, signer_role: 'beneficiary', witness: null, signed_at: Date.now(), width: 600, height: 300, strokes, device: by.device,
  })
  return { record, sha256: createHash('sha256').update(record).digest('hex') }
}
