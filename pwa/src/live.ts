// Listens for the server's hints that something changed, while someone looks; the engine then pulls.
import { backoff } from './sync/backoff'
import { wake } from './sync/engine'

/** A line may be dead without either end knowing, and a script sees no pings: so often it asks, and so long it waits. */
const BEAT = 30_000
const ANSWER = 10_000

/** What a page hears when something changed, or may have. */
export const NEWS = 'news'

let socket: WebSocket | null = null
let failures = 0
let timer: ReturnType<typeof setTimeout> | undefined
let on = false

export function startLive(): void {
  if (on) return
  on = true
  document.addEventListener('visibilitychange', follow)
  addEventListener('online', follow)
  addEventListener('offline', close)
  follow()
}

export function stopLive(): void {
  on = false
  document.removeEventListener('visibilitychange', follow)
  removeEventListener('online', follow)
  removeEventListener('offline', close)
  close()
}

/** Whether hints come; else whoever shows what only the server counts looks again by itself. */
export const listening = (): boolean => socket?.readyState === 1

function news(): void {
  wake()
  dispatchEvent(new Event(NEWS))
}

function follow(): void {
  if (!on || document.visibilityState !== 'visible') return close()
  if (socket || !navigator.onLine) return
  clearTimeout(timer)
  const line = new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/live`)
  socket = line
  let pulse: ReturnType<typeof setTimeout>
  const ended = () => {
    clearTimeout(pulse)
    if (socket !== line) return
    socket = null
    // Perhaps only the session has expired: a turn of the engine renews it.
    if (++failures === 2) wake()
    timer = setTimeout(follow, backoff(failures))
  }
  const beat = () => {
    clearTimeout(pulse)
    pulse = setTimeout(() => {
      line.send('beat')
      // A dead line takes minutes to close: it is left behind.
      pulse = setTimeout(() => (line.close(), ended()), ANSWER)
    }, BEAT)
  }
  line.onopen = () => {
    // What changed before there was a line was hinted to nobody.
    news()
    failures = 0
    beat()
  }
  line.onmessage = ({ data }) => {
    beat()
    if (data !== 'beat') news()
  }
  line.onclose = ended
}

function close(): void {
  clearTimeout(timer)
  const line = socket
  socket = null
  line?.close()
}
