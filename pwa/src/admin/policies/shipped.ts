// The policies that come with the app, to begin with.
import type { PolicyFacts } from '../../api/grants'
import performance from '../../../../instruments/policy-PR-1.json'
import seed from '../../../../instruments/policy-SB-1.json'

export type Shipped = Omit<PolicyFacts, 'programme'>

export const shipped = [seed, performance] as Shipped[]
