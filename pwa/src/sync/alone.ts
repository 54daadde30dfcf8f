// Runs work while no other tab and not the worker does it.

export async function alone<T>(work: () => Promise<T>): Promise<T> {
  if (!globalThis.navigator?.locks) return work()
  return (await navigator.locks.request('kilele-sync', work)) as T
}
