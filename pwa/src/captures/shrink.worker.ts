// Runs the shrinking of pictures beside the page, so that typing stays smooth.
import { shrink } from './shrink'

self.onmessage = async ({ data }: MessageEvent<{ job: number; source: Blob | ImageBitmap; original: boolean }>) => {
  try {
    const done = await shrink(data.source, data.original)
    self.postMessage({ job: data.job, done }, { transfer: [done.bytes] })
  } catch (error) {
    self.postMessage({ job: data.job, failed: error instanceof Error ? error.message : String(error) })
  }
}
