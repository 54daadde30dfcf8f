// Runs work while no other tab and not the worker does it.

export async function alone(work: () => Promise<void>): Promise<void> {
  if (!globalThis.navigator?.locks) return work()
  await navigator.locks.request('kilele-sync', work)
}
