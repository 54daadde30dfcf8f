// The photos of one form, as they are taken and retaken.
import type { CaptureMeta } from '../captures/capture'
import { live } from '../db/live.svelte'

export interface Taken {
  readonly current: CaptureMeta[]
  of: (slot: string) => CaptureMeta | null
}

export function taken(subject: string): Taken {
  const found = live(['captures'], async () => (await import('../captures/capture')).capturesOf(subject))
  const mine = () => (found.current ?? []).filter((one) => one.state === 'draft')
  return {
    get current() {
      return mine()
    },
    of: (slot) => mine().find((one) => one.slot === slot) ?? null,
  }
}
