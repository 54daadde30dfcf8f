// The camera as a stream: opening it, its light, and one frame of it as a JPEG.

export type Trouble = 'denied' | 'none' | 'busy' | 'insecure'
export interface Opened {
  stream: MediaStream
  facing: 'user' | 'environment'
  torch: boolean
  stop: () => void
}

/** Never throws: a phone without a (free, permitted) camera gets the reason. */
export async function openCamera(facing: 'user' | 'environment'): Promise<Opened | { trouble: Trouble }> {
  if (!navigator.mediaDevices?.getUserMedia) return { trouble: 'insecure' }
  try {
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: { ideal: facing }, width: { ideal: 1920 }, height: { ideal: 1440 } },
    })
    const track = stream.getVideoTracks()[0]
    const can = (track?.getCapabilities?.() ?? {}) as MediaTrackCapabilities & { torch?: boolean }
    return { stream, facing, torch: can.torch === true, stop: () => stream.getTracks().forEach((one) => one.stop()) }
  } catch (error) {
    const name = (error as DOMException).name
    return {
      trouble:
        name === 'NotAllowedError' || name === 'SecurityError'
          ? 'denied'
          : name === 'NotReadableError' || name === 'AbortError'
            ? 'busy'
            : 'none',
    }
  }
}

export async function setTorch(stream: MediaStream, on: boolean): Promise<boolean> {
  try {
    await stream.getVideoTracks()[0]?.applyConstraints({ advanced: [{ torch: on } as MediaTrackConstraintSet] })
    return true
  } catch {
    return false
  }
}

/** The frame that is shown now, at the camera's full size, not mirrored. */
export async function grab(video: HTMLVideoElement): Promise<Blob> {
  const canvas = document.createElement('canvas')
  canvas.width = video.videoWidth
  canvas.height = video.videoHeight
  canvas.getContext('2d')?.drawImage(video, 0, 0)
  return new Promise((done, fail) =>
    canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error('no frame'))), 'image/jpeg', 0.92),
  )
}
