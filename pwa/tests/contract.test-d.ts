// The records and answers this app names have the fields that the server documents; `npm run check` compares them.
import { expectTypeOf, test } from 'vitest'
import type * as ours from '../src/api/records'
import type { components } from '../src/api/schema'

type Schemas = components['schemas']

test('records and answers have the documented fields', () => {
  expectTypeOf<keyof ours.Organisation>().toEqualTypeOf<keyof Schemas['Organisation']>()
  expectTypeOf<keyof ours.Place>().toEqualTypeOf<keyof Schemas['Place']>()
  expectTypeOf<keyof ours.Person>().toEqualTypeOf<keyof Schemas['Person']>()
  expectTypeOf<keyof ours.Household>().toEqualTypeOf<keyof Schemas['Household']>()
  expectTypeOf<keyof ours.HouseholdMember>().toEqualTypeOf<keyof Schemas['HouseholdMember']>()
  expectTypeOf<keyof ours.Visit>().toEqualTypeOf<keyof Schemas['Visit']>()
  expectTypeOf<keyof ours.Evidence>().toEqualTypeOf<keyof Schemas['Evidence']>()
  expectTypeOf<keyof ours.Signature>().toEqualTypeOf<keyof Schemas['Signature']>()
  expectTypeOf<keyof ours.SyncAnswer>().toEqualTypeOf<keyof Schemas['SyncAnswer']>()
  expectTypeOf<keyof ours.SyncRequest>().toEqualTypeOf<keyof Schemas['SyncRequest']>()
  expectTypeOf<keyof ours.Receipt>().toEqualTypeOf<keyof Schemas['Receipt']>()
  expectTypeOf<keyof ours.Held>().toEqualTypeOf<keyof Schemas['Have']>()
  expectTypeOf<ours.VisitState>().toEqualTypeOf<Schemas['VisitState']>()
  expectTypeOf<ours.VisitKind>().toEqualTypeOf<Schemas['VisitKind']>()
  expectTypeOf<ours.Role>().toEqualTypeOf<Schemas['Role']>()
})

test('commands have the documented fields', () => {
  expectTypeOf<keyof ours.Commands['household.register']>().toEqualTypeOf<keyof Schemas['RegisterHousehold']>()
  expectTypeOf<keyof ours.Commands['household.register']['household']>().toEqualTypeOf<keyof Schemas['NewHousehold']>()
  expectTypeOf<keyof ours.Commands['household.update']>().toEqualTypeOf<keyof Schemas['UpdateHousehold']>()
  expectTypeOf<keyof ours.Commands['visit.plan']>().toEqualTypeOf<keyof Schemas['PlanVisit']>()
  expectTypeOf<keyof ours.Commands['visit.start']>().toEqualTypeOf<keyof Schemas['StartVisit']>()
  expectTypeOf<keyof ours.Commands['visit.submit']>().toEqualTypeOf<keyof Schemas['SubmitVisit']>()
  expectTypeOf<keyof ours.Commands['visit.cancel']>().toEqualTypeOf<keyof Schemas['CancelVisit']>()
  expectTypeOf<keyof ours.Commands['visit.miss']>().toEqualTypeOf<keyof Schemas['MissVisit']>()
  expectTypeOf<keyof ours.Commands['visit.approve']>().toEqualTypeOf<keyof Schemas['ApproveVisit']>()
  expectTypeOf<keyof ours.Commands['visit.return']>().toEqualTypeOf<keyof Schemas['ReturnVisit']>()
  expectTypeOf<keyof ours.Commands['conflict.settle']>().toEqualTypeOf<keyof Schemas['SettleConflict']>()
  expectTypeOf<keyof ours.Commands['inbox.read']>().toEqualTypeOf<keyof Schemas['ReadInbox']>()
  expectTypeOf<keyof ours.Capture>().toEqualTypeOf<keyof Schemas['Capture']>()
  expectTypeOf<keyof ours.SignedRecord>().toEqualTypeOf<keyof Schemas['SignedRecord']>()
})
