// Asks for the figures by the organisation's day, and keeps the last answer for when there is no network.
import { figures } from '../api/admin'
import { now } from '../clock'
import { online, type Asked } from '../online.svelte'
import { session } from '../session.svelte'
import { wall } from '../shell/zone.svelte'

export type Figures = Awaited<ReturnType<typeof figures>>

/** Whose the kept ones are: another person on this phone sees other rows. */
let kept: { member: string; figures: Figures } | null = null

export interface Shown extends Asked<Figures> {
  /** They were counted for an earlier look. */
  readonly old: boolean
}

export function askFigures(): Shown {
  const member = session.member?.id ?? ''
  const before = kept?.member === member ? kept.figures : null
  const asked = online(async () => {
    const fresh = await figures(wall(now()).toISOString().slice(0, 10))
    kept = { member, figures: fresh }
    return fresh
  })
  return {
    get current() {
      return asked.current ?? before
    },
    get error() {
      return asked.current ? null : asked.error
    },
    get old() {
      return !asked.current && before !== null && asked.error !== null
    },
    again: asked.again,
  }
}
