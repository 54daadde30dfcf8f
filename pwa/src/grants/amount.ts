// The amount of a grant by its policy: base × each factor, rounded once, held between least and most. Whole numbers all the
// way, so that the server (`server/src/policies/amount.rs`) comes to the same to the cent; both meet one table of cases.
import type { Factor, GrantAmount, PolicyFacts } from '../api/grants'

/** How many ten-thousandths make a whole. */
const WHOLE = 10_000n

export type Inputs = Record<string, number | string | undefined>

/** Ten-thousandths by which a factor changes the amount. */
export function factorOf(factor: Factor, inputs: Inputs): number {
  const input = inputs[factor.input]
  const fits = (band: Factor['bands'][number]) =>
    typeof input === 'number'
      ? band.one_of.length === 0 && (band.at_least === null || input >= band.at_least) && (band.below === null || input < band.below)
      : typeof input === 'string' && band.one_of.includes(input)
  return factor.bands.find(fits)?.by ?? factor.otherwise
}

export function amountOf(policy: PolicyFacts, inputs: Inputs): GrantAmount {
  const factors = policy.factors.map((factor) => ({ key: factor.key, by: factorOf(factor, inputs) }))
  const top = factors.reduce((product, { by }) => product * BigInt(by), BigInt(policy.base_minor))
  const step = BigInt(policy.step_minor)
  const bottom = WHOLE ** BigInt(factors.length) * step
  // Half up: the same as adding half of the divisor before dividing.
  const raw = Math.min(Number(((top * 2n + bottom) / (bottom * 2n)) * step), Number.MAX_SAFE_INTEGER)
  const { least_minor: least, most_minor: most } = policy
  const clamped = least !== null && raw < least ? 'least' : most !== null && raw > most ? 'most' : null
  const amount = clamped === 'least' ? least! : clamped === 'most' ? most! : raw
  return { base_minor: policy.base_minor, factors, raw_minor: raw, amount_minor: amount, clamped }
}
