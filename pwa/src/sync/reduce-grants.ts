// What commands of groups, milestones and grants do to their records on this phone, until the server's word comes.
import type { Acknowledgement, Grant, GrantAmount, GrantMove, GrantState, Group, Milestone, MilestoneMove, MilestoneState, Survey, Tranche } from '../api/grants'
import type { Command, Kind, Records } from '../api/records'
import type { Author } from '../db/schema'
import { amountOf } from '../grants/amount'
import grants from '../grants/ways.json'
import milestones from '../ladder/ways.json'

type Ways<S extends string> = Record<S, Partial<Record<string, S>>>

/** The enrolment's ladder after a milestone was moved by hand. */
export function ladder(rungs: Milestone[] | undefined, command: Command, by: Author): Milestone[] | undefined {
  if (command.kind !== 'milestone.move' || !rungs) return rungs
  const { number, event, reason } = command.body
  return rungs.map((rung) => {
    const state = rung.number === number ? after(rung.state, event) : null
    return state ? { ...rung, state, reason, at: command.at, by: by.member, cause: null, subject: null } : rung
  })
}

const after = (state: MilestoneState, event: MilestoneMove) => (milestones as Ways<MilestoneState>)[state][event]

/** `undefined`: not one of these kinds. */
export function grantRecord(command: Command, kind: Kind, before: Records[Kind] | null, by: Author): Records[Kind] | null | undefined {
  switch (kind) {
    case 'group':
      return group(command, before as Group | null, by)
    case 'survey':
      return survey(command, before as Survey | null, by)
    case 'grant':
      return grant(command, before as Grant | null, by)
    case 'acknowledgement':
      return acknowledgement(command, before as Acknowledgement | null, by)
    default:
      return undefined
  }
}

function group(command: Command, before: Group | null, by: Author): Group | null {
  const at = command.at
  switch (command.kind) {
    case 'group.form':
      return before ?? {
        ...command.body,
        number: null,
        place: by.place ?? '',
        health: 'yellow',
        health_note: '',
        health_at: at,
        health_by: by.member,
        state: 'active',
        reason: '',
        mentor: by.member,
        created_at: at,
        updated_at: at,
        revision: 0,
      }
    case 'group.change': {
      const { name, type, members } = command.body
      return before && { ...before, name, type, members, updated_at: at }
    }
    case 'group.dissolve':
      return before && { ...before, state: 'dissolved', reason: command.body.reason, updated_at: at }
    case 'group.survey': {
      const { health, challenges } = command.body
      return before && { ...before, health, health_note: challenges, health_at: at, health_by: by.member, updated_at: at }
    }
    default:
      return before
  }
}

function survey(command: Command, before: Survey | null, by: Author): Survey | null {
  if (before || command.kind !== 'group.survey') return before
  const { evidence: _photos, ...fields } = command.body
  const at = command.at
  return { ...fields, place: by.place ?? '', surveyed_by: by.member, surveyed_at: at, created_at: at, revision: 0 }
}

function grant(command: Command, before: Grant | null, by: Author): Grant | null {
  const at = command.at
  if (!before) return command.kind === 'grant.submit' ? applied(command, by) : null
  switch (command.kind) {
    case 'grant.move':
    case 'grant.submit': {
      const event: GrantMove = command.kind === 'grant.submit' ? 'submit' : command.body.event
      const state = (grants as Ways<GrantState>)[before.state][event]
      if (!state) return before
      const score = command.kind === 'grant.move' ? command.body.score : null
      const reason = command.kind === 'grant.move' ? command.body.reason : ''
      const history = [...before.history, { event, state, by: by.member, at, reason, score }]
      const moved = { ...before, state, history, updated_at: at }
      if (event === 'recommend') return { ...moved, reviewed_by: by.member, review_score: score }
      if (event === 'approve') return { ...moved, approved_by: by.member, approved_at: at }
      if (command.kind !== 'grant.submit') return moved
      const { plan, answers, note } = command.body
      return { ...moved, plan, answers, note, amount: counted(answers, before.policy, before.households.length), submitted_by: by.member, submitted_at: at }
    }
    case 'grant.release': {
      const { tranche, method, reference, released_on } = command.body
      return part(before, tranche, { state: 'released', method, reference, released_on, released_by: by.member, released_at: at }, at)
    }
    case 'grant.acknowledge': {
      const { id, tranche } = command.body
      return part(before, tranche, { state: 'acknowledged', acknowledgement: id, acknowledged_by: by.member, acknowledged_at: at }, at)
    }
    case 'grant.tranche': {
      const states = { dispute: 'disputed', uphold: 'acknowledged', fail: 'failed', reverse: 'reversed' } as const
      return part(before, command.body.tranche, { state: states[command.body.event], note: command.body.reason }, at)
    }
    case 'grant.utilise': {
      const { id, items, note } = command.body
      const spent_minor = items.reduce((sum, item) => sum + item.amount_minor, 0)
      const use = before.utilisation
      return use && { ...before, utilisation: { ...use, id, items, note, spent_minor, state: 'submitted', submitted_by: by.member, submitted_at: at }, updated_at: at }
    }
    case 'grant.verify': {
      const use = before.utilisation
      const state = command.body.verdict === 'verify' ? 'verified' : 'returned'
      return use && { ...before, utilisation: { ...use, state, decision_note: command.body.reason, decided_by: by.member, decided_at: at }, updated_at: at }
    }
    default:
      return before
  }
}

const counted = (answers: Grant['answers'], policy: Grant['policy'], group_size: number): GrantAmount =>
  amountOf(policy, { group_size, ...answers })

/** A new application, by the policy and the group that this phone knows. */
function applied(command: Extract<Command, { kind: 'grant.submit' }>, by: Author): Grant | null {
  const { id, household, group, plan, answers, note } = command.body
  if (!by.grant) return null
  const { updated_at: _at, revision: _revision, ...policy } = by.grant.policy
  const { households } = by.grant
  const at = command.at
  return {
    id,
    number: null,
    place: by.place ?? '',
    programme: policy.programme,
    policy,
    household,
    group,
    savings_group: null,
    households,
    plan,
    answers,
    amount: counted(answers, policy, households.length),
    phone_amount_minor: null,
    note,
    state: 'submitted',
    submitted_by: by.member,
    submitted_at: at,
    reviewed_by: null,
    review_score: null,
    approved_by: null,
    approved_at: null,
    tranches: [],
    utilisation: null,
    history: [{ event: 'submit', state: 'submitted', by: by.member, at, reason: '', score: null }],
    created_at: at,
    updated_at: at,
    revision: 0,
  }
}

function part(grant: Grant, id: string, change: Partial<Tranche>, at: number): Grant {
  const tranches = grant.tranches.map((tranche) => (tranche.id === id ? { ...tranche, ...change } : tranche))
  return { ...grant, tranches, updated_at: at }
}

function acknowledgement(command: Command, before: Acknowledgement | null, by: Author): Acknowledgement | null {
  if (before || command.kind !== 'grant.acknowledge') return before
  const { evidence: _photos, signature: _signature, ...fields } = command.body
  const at = command.at
  return { ...fields, place: by.place ?? '', counted: true, flag: null, recorded_by: by.member, received_at: at, created_at: at, revision: 0 }
}
