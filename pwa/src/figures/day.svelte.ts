// A day's figures as state: asked for anew when the server hints that something changed, and now and then without a hint.
import { dashboard } from '../api/admin'
import { asProblem, type Problem } from '../api/problem'
import { listening, NEWS } from '../live'
import { session } from '../session.svelte'

export type Dashboard = Awaited<ReturnType<typeof dashboard>>

/** Hints come in flocks: so long after one question there is no other. */
const CALM = 1_000
/** How often is looked without hints, in seconds. */
export const LOOKS = 10
/** What waits grows older without anybody doing anything. */
const AGES = 60_000
const TICK = 1_000

/** Whose the last look is: another person on this device sees other rows. */
let kept: { member: string; date: string | null; figures: Dashboard } | null = null

export interface Followed {
  readonly current: Dashboard | null
  readonly error: Problem | null
  /** The last question had no answer: what is shown is of an earlier look. */
  readonly old: boolean
  /** It moves by itself, by hints; else it looks again every ten seconds. */
  readonly live: boolean
}

/** Call while a component is made. `date`: the day as 2026-11-29, or today's. */
export function followDay(date: () => string | null): Followed {
  const member = session.member?.id ?? ''
  let current = $state.raw<Dashboard | null>(null)
  let error = $state.raw<Problem | null>(null)
  let live = $state(listening())
  let wanted: string | null = null
  let asked = 0
  let begunAt = -Infinity
  let busy = false
  let again = false
  let due: ReturnType<typeof setTimeout> | undefined

  async function ask(): Promise<void> {
    clearTimeout(due)
    due = undefined
    busy = true
    again = false
    begunAt = performance.now()
    const mine = ++asked
    try {
      const figures = await dashboard(wanted ?? undefined)
      if (mine !== asked) return
      kept = { member, date: wanted, figures }
      current = figures
      error = null
    } catch (thrown) {
      if (mine === asked) error = asProblem(thrown)
    } finally {
      if (mine === asked) {
        busy = false
        if (again) soon()
      }
    }
  }

  /** Soon; what is said until then is answered by the same question, what is said while it is asked by the next. */
  function soon(): void {
    again = busy
    if (busy || due !== undefined || document.visibilityState !== 'visible') return
    due = setTimeout(ask, Math.max(0, begunAt + CALM - performance.now()))
  }

  function tick(): void {
    live = listening()
    const since = performance.now() - begunAt
    if (!busy && since >= (live ? AGES : LOOKS * 1_000)) soon()
  }

  $effect(() => {
    wanted = date()
    current = kept?.member === member && kept.date === wanted ? kept.figures : null
    error = null
    void ask()
  })
  $effect(() => {
    const looks = setInterval(tick, TICK)
    addEventListener(NEWS, soon)
    addEventListener('online', soon)
    document.addEventListener('visibilitychange', soon)
    return () => {
      asked++
      clearTimeout(due)
      clearInterval(looks)
      removeEventListener(NEWS, soon)
      removeEventListener('online', soon)
      document.removeEventListener('visibilitychange', soon)
    }
  })

  return {
    get current() {
      return current
    },
    get error() {
      return error
    },
    get old() {
      return current !== null && error !== null
    },
    get live() {
      return live
    },
  }
}
