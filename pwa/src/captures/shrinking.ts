// The page's side of shrinking pictures: one worker, started when a camera opens, asked for one picture at a time.
import { Problem } from '../api/problem'
import type { Shrunk } from './shrink'

let worker: Worker | null = null
let jobs = 0

/** Starts the worker before there is something to do, so that the first photo does not wait for it. */
export function prepareShrinking(): void {
  if (!globalThis.crypto?.subtle) throw new Problem('insecure_context', 'Photos need a secure (https) address')
  // Older browsers cannot draw in a worker; they also lack OffscreenCanvas, which the worker file itself needs.
  if (typeof OffscreenCanvas === 'undefined') throw new Problem('browser_too_old', 'This browser cannot shrink photos')
  worker ??= new Worker(new URL('./shrink.worker.ts', import.meta.url), { type: 'module' })
}

export async function shrinkInWorker(source: Blob | ImageBitmap, original = false): Promise<Shrunk> {
  prepareShrinking()
  const own = worker!
  const job = ++jobs
  return new Promise((resolve, reject) => {
    const over = () => {
      own.removeEventListener('message', answered)
      own.removeEventListener('error', broke)
    }
    const answered = ({ data }: MessageEvent<{ job: number; done?: Shrunk; failed?: string }>) => {
      if (data.job !== job) return
      over()
      if (data.done) resolve(data.done)
      else reject(new Problem('not_a_picture', data.failed))
    }
    const broke = () => {
      over()
      own.terminate()
      if (worker === own) worker = null
      reject(new Problem('not_a_picture', 'The picture could not be read'))
    }
    own.addEventListener('message', answered)
    own.addEventListener('error', broke)
    own.postMessage({ job, source, original })
  })
}
