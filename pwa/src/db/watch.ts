// Runs a query again whenever the stores that it reads change: a store in Svelte's sense.
import { asProblem, type Problem } from '../api/problem'
import { concerns, hear } from './changes'

export type Watched =
  | 'records'
  | `records:${string}`
  | 'outbox'
  | 'captures'
  | 'drafts'
  | 'attention'
  | 'meta'

export interface Watch<T> {
  subscribe(run: (value: T) => void, failed?: (problem: Problem) => void): () => void
}

export function watch<T>(stores: readonly Watched[], query: () => Promise<T>): Watch<T> {
  return {
    subscribe(run, failed) {
      let running = false
      let again = false
      let over = false
      const look = async () => {
        if (running) return void (again = true)
        running = true
        do {
          again = false
          try {
            const value = await query()
            if (!over) run(value)
          } catch (error) {
            if (!over) failed?.(asProblem(error))
          }
        } while (again && !over)
        running = false
      }
      const stop = hear((message) => {
        if (message.type === 'change' && concerns(stores, message.change.tags)) void look()
      })
      void look()
      return () => {
        over = true
        stop()
      }
    },
  }
}
