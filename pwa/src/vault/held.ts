// Lets the worker hold the open person's key for as long as they are here, so that a reload does not ask for the PIN.

/** After so long away, the PIN is asked again. */
export const AWAY = 5 * 60_000

export interface Held {
  vault: string
  key: Uint8Array<ArrayBuffer>
  /** The last sign of life. */
  at: number
}

export type ToWorker = { type: 'hold'; held: Held } | { type: 'drop' } | { type: 'held?' }

let mine: Held | null = null

/** In the page: the key is given, and given again whenever the worker has forgotten it. */
export function hold(vault: string, key: Uint8Array<ArrayBuffer>): void {
  mine = { vault, key, at: Date.now() }
  tell({ type: 'hold', held: mine })
}

/** The person is still here. */
export function alive(): void {
  if (mine) hold(mine.vault, mine.key)
}

export const holding = (): Held | null => mine

export function letGo(): void {
  mine?.key.fill(0)
  mine = null
  tell({ type: 'drop' })
}

/** What the worker holds, if the person was here lately; it may have been ended meanwhile. */
export async function askHeld(): Promise<Held | null> {
  const worker = globalThis.navigator?.serviceWorker?.controller
  if (!worker) return null
  const { port1, port2 } = new MessageChannel()
  const answer = new Promise<Held | null>((done) => {
    port1.onmessage = ({ data }: MessageEvent<Held | null>) => done(data)
    setTimeout(() => done(null), 600)
  })
  worker.postMessage({ type: 'held?' } satisfies ToWorker, [port2])
  const held = await answer
  port1.close()
  return held && Math.abs(Date.now() - held.at) < AWAY ? held : null
}

/** The worker was started anew for a picture and asks; only the page that is open can tell it, or renew its session. */
export function answerWorker(renew: (seenAt: number) => Promise<unknown>): void {
  globalThis.navigator?.serviceWorker?.addEventListener('message', (event: MessageEvent<{ type?: string }>) => {
    const [port] = event.ports
    if (event.data?.type === 'held?') port?.postMessage(mine)
    if (event.data?.type === 'renew') void renew(Date.now() - 1000).then(() => port?.postMessage(true), () => port?.postMessage(false))
  })
}

const tell = (message: ToWorker) => globalThis.navigator?.serviceWorker?.controller?.postMessage(message)
