// The instruments that this app has; every version that was ever used stays, for assessments keep theirs.
import additive1 from '../../../instruments/additive-1.json'
import graduation1 from '../../../instruments/graduation-1.json'
import weighted1 from '../../../instruments/weighted-1.json'
import type { Instrument } from './instrument'

export const instruments = [weighted1, additive1, graduation1] as unknown as Instrument[]

export const instrument = (key: string, version: number): Instrument | null =>
  instruments.find((one) => one.key === key && one.version === version) ?? null
