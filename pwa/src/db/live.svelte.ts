// A query as component state: keeps its last value, looks again on changes and when its inputs change.
import { untrack } from 'svelte'
import { asProblem, type Problem } from '../api/problem'
import { concerns, hear } from './changes'
import type { Watched } from './watch'

export interface Live<T> {
  readonly current: T | undefined
  readonly loading: boolean
  readonly error: Problem | null
}

/** Call while a component is made. State that `query` reads before its first `await` is an input. */
export function live<T>(stores: readonly Watched[], query: () => Promise<T>): Live<T> {
  let current = $state.raw<T | undefined>(undefined)
  let loading = $state(true)
  let error = $state.raw<Problem | null>(null)
  let version = $state(0)
  let asks = 0
  let shown = 0

  $effect(() => hear((message) => {
    // Whoever made the change must not come to depend on this state.
    if (message.type === 'change' && concerns(stores, message.change.tags)) untrack(() => version++)
  }))

  $effect(() => {
    void version
    const ask = ++asks
    let asked: Promise<T>
    try {
      asked = query()
    } catch (thrown) {
      asked = Promise.reject(thrown)
    }
    untrack(() => {
      asked.then(
        (value) => {
          // Answers may overtake each other: an older one never replaces a newer one.
          if (ask < shown) return
          shown = ask
          current = value
          error = null
          loading = false
        },
        (thrown) => {
          if (ask < shown) return
          shown = ask
          error = asProblem(thrown)
          loading = false
        },
      )
    })
  })

  return {
    get current() {
      return current
    },
    get loading() {
      return loading
    },
    get error() {
      return error
    },
  }
}
