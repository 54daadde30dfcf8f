// The camera as a stream: opening it, the other one, its light, and what it sees now.

export type Side = 'user' | 'environment'
export type Trouble = 'denied' | 'none' | 'busy' | 'insecure'
export interface Opened {
  stream: MediaStream
  /** Which way it looks, as the phone says, else as it was asked for. */
  facing: Side
  device: string | undefined
  torch: boolean
  /** There is another camera to change to. */
  several: boolean
  stop: () => void
}

/** 1,600 px are kept; more than that only costs a cheap phone its memory. */
const SIZE = { width: { ideal: 1920 }, height: { ideal: 1440 } }

/** Never throws: a phone without a (free, permitted) camera gets the reason. `not`: the camera to change away from. */
export async function openCamera(facing: Side, not?: string): Promise<Opened | { trouble: Trouble }> {
  const media = navigator.mediaDevices
  if (!media?.getUserMedia) return { trouble: 'insecure' }
  try {
    let stream = await media.getUserMedia({ audio: false, video: { facingMode: { ideal: facing }, ...SIZE } })
    const cameras = (await media.enumerateDevices()).filter(({ kind }) => kind === 'videoinput')
    // Cameras that do not say which way they look are changed by their name.
    const other = cameras.find(({ deviceId }) => deviceId !== not)
    if (not && other && settings(stream).deviceId === not) {
      stream.getTracks().forEach((track) => track.stop())
      stream = await media.getUserMedia({ audio: false, video: { deviceId: { exact: other.deviceId }, ...SIZE } })
    }
    const { facingMode, deviceId } = settings(stream)
    const can = (stream.getVideoTracks()[0]?.getCapabilities?.() ?? {}) as MediaTrackCapabilities & { torch?: boolean }
    return {
      stream,
      facing: facingMode === 'user' || facingMode === 'environment' ? facingMode : facing,
      device: deviceId,
      torch: can.torch === true,
      several: cameras.length > 1,
      stop: () => stream.getTracks().forEach((track) => track.stop()),
    }
  } catch (error) {
    return { trouble: troubles[(error as DOMException).name] ?? 'none' }
  }
}

const troubles: Record<string, Trouble> = {
  NotAllowedError: 'denied',
  SecurityError: 'denied',
  NotReadableError: 'busy',
  AbortError: 'busy',
}

const settings = (stream: MediaStream): MediaTrackSettings => stream.getVideoTracks()[0]?.getSettings() ?? {}

export async function setTorch(stream: MediaStream, on: boolean): Promise<boolean> {
  try {
    await stream.getVideoTracks()[0]?.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] })
    return true
  } catch {
    return false
  }
}

/** Some phones never answer. */
const PATIENCE = 5_000

/**
 * The frame that is shown now, at the camera's full size, not mirrored, and not yet squeezed into a file. A shutter
 * pressed while the camera is still opening has the first frame; null when none comes.
 */
export async function grab(video: HTMLVideoElement): Promise<ImageBitmap | null> {
  if (video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA && !(await firstFrame(video))) return null
  return createImageBitmap(video).catch(() => null)
}

const firstFrame = (video: HTMLVideoElement) =>
  new Promise<boolean>((done) => {
    video.addEventListener('loadeddata', () => done(true), { once: true })
    setTimeout(done, PATIENCE, false)
  })

interface Still {
  takePhoto(): Promise<Blob>
}

/** The camera's own file, as large as it makes them; null where the browser has no way to it. */
export async function takeFile(stream: MediaStream): Promise<Blob | null> {
  const track = stream.getVideoTracks()[0]
  const ImageCapture = (globalThis as { ImageCapture?: new (of: MediaStreamTrack) => Still }).ImageCapture
  if (!track || !ImageCapture) return null
  const late = new Promise<null>((done) => setTimeout(done, PATIENCE, null))
  return Promise.race([new ImageCapture(track).takePhoto().catch(() => null), late])
}
