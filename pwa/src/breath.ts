// Long work in short pieces: between two of them the page paints and answers a finger.

/** Milliseconds: less than a frame on a fast phone, and a slow one is still moved by a finger at once. */
const PIECE = 12

/** Goes on at once where the browser knows how to, else behind what waits already. A timer would sleep in a hidden page. */
function breath(): Promise<void> {
  const { scheduler } = globalThis as { scheduler?: { yield?: () => Promise<void> } }
  if (scheduler?.yield) return scheduler.yield()
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      done()
    }
    port2.postMessage(null)
  })
}

/** `each` of all, in order. */
export async function inPieces<T, R>(all: T[], each: (one: T) => R): Promise<R[]> {
  const done: R[] = []
  let until = performance.now() + PIECE
  for (const one of all) {
    if (performance.now() > until) {
      await breath()
      until = performance.now() + PIECE
    }
    done.push(each(one))
  }
  return done
}
