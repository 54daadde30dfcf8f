// What only the server knows, asked for when a screen opens and again when the network is back.
import { asProblem, type Problem } from './api/problem'
import { status } from './sync/status.svelte'

export interface Asked<T> {
  readonly current: T | null
  readonly error: Problem | null
  again: () => void
}

export function online<T>(ask: () => Promise<T>): Asked<T> {
  let current = $state.raw<T | null>(null)
  let error = $state.raw<Problem | null>(null)
  const again = () =>
    void ask().then(
      (answer) => {
        current = answer
        error = null
      },
      (thrown: unknown) => (error = asProblem(thrown)),
    )
  $effect(() => {
    if (status.online || !current) again()
  })
  return {
    get current() {
      return current
    },
    get error() {
      return error
    },
    again,
  }
}
