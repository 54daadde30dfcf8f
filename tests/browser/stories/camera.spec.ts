// The capture screen: a photo by eye, thumb or keyboard, with a hint and never a verdict, and ways out when there is no camera.
import type { Locator } from '@playwright/test'
import { signIn } from '../harness/api'
import { axe } from '../harness/axe'
import { showing, usePhoto } from '../harness/form'
import { DESKTOP, type Device, PHONE } from '../harness/phone'
import { draw } from '../harness/pictures'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

interface Capture {
  id: string
  slot: string
  bytes: number
  blurred: boolean
  dark: boolean
}
const TWO_CAMERAS = ['--use-fake-device-for-media-stream=device-count=2']

/** The camera of the returned visit's second slot, open. */
async function open(phone: Device, url: string, slot = 'back'): Promise<Locator> {
  const amina = await signIn(url, 'amina.mentor')
  const visit = (await amina.visits()).find(({ state }) => state === 'returned')!
  await phone.goto(`/visits/${visit.id}/edit?step=photos`)
  await phone.page.locator(`a[href$="camera=${slot}"]`).click()
  return phone.page.getByRole('dialog')
}
const button = (camera: Locator, key: string) => camera.getByRole('button', { name: say(key), exact: true })
const shot = (camera: Locator) => camera.getByRole('img', { name: say('camera_taken') })

test('by keyboard alone: take, look, take again, use; the preview is there before anything is kept', async ({ server, device }) => {
  const phone = await device({ ...DESKTOP })
  const { page } = phone
  await phone.signIn('amina.mentor')
  const camera = await open(phone, server.url)
  await showing(camera.locator('video'))
  await expect(button(camera, 'camera_shutter')).toBeFocused()
  await expect(camera.getByText(say('camera_help'))).toBeVisible()

  await (await page.context().newCDPSession(page)).send('Emulation.setCPUThrottlingRate', { rate: 6 })
  const shown = page.evaluate(
    (label) =>
      new Promise<number>((done) => {
        let pressed = 0
        addEventListener('keydown', () => (pressed = performance.now()), { once: true, capture: true })
        const watch = new MutationObserver(() => {
          if (!document.querySelector(`[role=img][aria-label="${label}"]`)) return
          watch.disconnect()
          requestAnimationFrame(() => setTimeout(() => done(performance.now() - pressed)))
        })
        watch.observe(document.body, { childList: true, subtree: true })
      }),
    say('camera_taken'),
  )
  await page.keyboard.press('Enter')
  console.log(`preview ${Math.round(await shown)} ms after the shutter, at 6× throttle`)
  await expect(shot(camera)).toBeVisible()
  expect(await phone.all<Capture>('captures')).toEqual([])
  const use = camera.locator('.use button')
  await expect(use).toBeFocused()
  await expect(camera.getByRole('status')).not.toHaveText(say('camera_looking'))
  await page.keyboard.press('Shift+Tab')
  await expect(button(camera, 'camera_retake')).toBeFocused()
  await page.keyboard.press('Enter')
  await showing(camera.locator('video'))
  await expect(button(camera, 'camera_shutter')).toBeFocused()
  await page.keyboard.press('Space')
  await expect(use).toBeFocused()
  await page.keyboard.press('Enter')
  await expect(camera).toBeHidden()
  const [kept] = await phone.all<Capture>('captures')
  expect(kept).toMatchObject({ slot: 'back' })
  expect(kept!.bytes).toBeLessThanOrEqual(350_000)
  expect(phone.errors).toEqual([])
})

test('a shutter pressed before the camera shows anything takes the first frame', async ({ server, device }) => {
  const phone = await device(PHONE)
  // The stream is there and its size is known, but no frame has come: it waits until the window says so.
  await phone.browser.addInitScript(() => {
    const { readyState } = Object.getOwnPropertyDescriptors(HTMLMediaElement.prototype)
    let frames = false
    addEventListener('frames', () => {
      frames = true
      document.querySelector('video')!.dispatchEvent(new Event('loadeddata'))
    })
    Object.defineProperty(HTMLMediaElement.prototype, 'readyState', {
      get(this: HTMLMediaElement) {
        return frames ? (readyState!.get!.call(this) as number) : HTMLMediaElement.HAVE_METADATA
      },
    })
    const { createImageBitmap } = window
    Object.assign(window, {
      createImageBitmap: async (source: ImageBitmapSource) => {
        if (source instanceof HTMLVideoElement && !frames) throw new DOMException('no frame yet', 'InvalidStateError')
        return createImageBitmap(source)
      },
    })
  })
  await phone.signIn('amina.mentor')
  const camera = await open(phone, server.url)
  await showing(camera.locator('video'))
  await button(camera, 'camera_shutter').click()
  await expect(button(camera, 'camera_shutter')).toBeDisabled()
  await expect(shot(camera)).toBeHidden()
  await phone.page.evaluate(() => dispatchEvent(new Event('frames')))
  await expect(shot(camera)).toBeVisible()
  await usePhoto(camera)
  expect(phone.errors).toEqual([])
})

test('a blurred or dark photo is said to be one, and can be used all the same', async ({ server, device }) => {
  const phone = await device(PHONE)
  await phone.signIn('amina.mentor')
  const camera = await open(phone, server.url)
  const file = camera.locator('input[type=file]')
  const choose = async (kind: 'scene' | 'blurred' | 'dark') =>
    file.setInputFiles({ name: 'a.jpg', mimeType: 'image/jpeg', buffer: await draw(phone.page, kind, 2000, 1500) })
  for (const [kind, key] of [['scene', 'camera_fine'], ['dark', 'camera_dark'], ['blurred', 'camera_blurred']] as const) {
    await choose(kind)
    await expect(camera.getByRole('status')).toHaveText(say(key))
    await expect(shot(camera)).toBeVisible()
    if (kind !== 'blurred') await button(camera, 'camera_retake').click()
  }
  await button(camera, 'camera_use_anyway').click()
  await expect(camera).toBeHidden()
  expect((await phone.all<Capture>('captures'))[0]).toMatchObject({ blurred: true, dark: false })
  await expect(phone.page.getByText(say('photo_blurred_short'))).toBeVisible()
})

test('the other camera, the light where the camera has one, and neither where there is none', async ({ server, device }) => {
  const plain = await device(PHONE)
  await plain.signIn('amina.mentor')
  let camera = await open(plain, server.url)
  await showing(camera.locator('video'))
  await expect(button(camera, 'camera_flip')).toHaveCount(0)
  await expect(button(camera, 'camera_light')).toHaveCount(0)

  const phone = await device(PHONE, server.url, TWO_CAMERAS)
  await phone.browser.addInitScript(() => {
    const track = MediaStreamTrack.prototype
    const can = track.getCapabilities
    track.getCapabilities = function () {
      return { ...can.call(this), torch: true } as MediaTrackCapabilities
    }
    track.applyConstraints = async (wanted) => void ((window as { torch?: unknown }).torch = wanted?.advanced?.[0])
  })
  await phone.signIn('amina.mentor')
  camera = await open(phone, server.url)
  await showing(camera.locator('video'))
  const source = () =>
    camera.locator('video').evaluate((video: HTMLVideoElement) => (video.srcObject as MediaStream | null)?.getVideoTracks()[0]?.getSettings().deviceId)
  const first = await source()
  await button(camera, 'camera_flip').click()
  await expect.poll(source).not.toBe(first)
  await showing(camera.locator('video'))
  const second = await source()
  await button(camera, 'camera_flip').click()
  await expect.poll(source).not.toBe(second)

  const light = button(camera, 'camera_light')
  await light.click()
  await expect(light).toHaveAttribute('aria-pressed', 'true')
  expect(await phone.page.evaluate(() => (window as { torch?: unknown }).torch)).toEqual({ torch: true })
})

test('the level shows how the phone is held, and nothing where there is no sensor', async ({ server, device }) => {
  const phone = await device({ ...PHONE, permissions: ['geolocation', 'notifications', 'accelerometer', 'gyroscope'] })
  await phone.signIn('amina.mentor')
  const camera = await open(phone, server.url)
  await showing(camera.locator('video'))
  // Longer than it waits before it would ask.
  await phone.page.evaluate(() => new Promise((done) => setTimeout(done, 1_200)))
  await expect(camera.locator('.level')).toHaveCount(0)
  await expect(button(camera, 'camera_level_ask')).toHaveCount(0)

  const sensor = await phone.page.context().newCDPSession(phone.page)
  const held = (beta: number, gamma: number) =>
    sensor.send('DeviceOrientation.setDeviceOrientationOverride', { alpha: 0, beta, gamma })
  await held(90, 0)
  await expect(camera.getByText(say('camera_level_good'), { exact: true })).toBeVisible()
  await held(60, 20)
  await expect(camera.getByText(/^Tilted \d+°$/)).toBeVisible()
  await held(8, 0)
  await expect(camera.getByText(say('camera_level_flat'))).toBeVisible()
  await held(0, 1)
  await expect(camera.getByText(say('camera_level_good'), { exact: true })).toBeVisible()
})

test('a browser that stays silent until it is asked is asked, under a finger', async ({ server, device }) => {
  const phone = await device({ ...PHONE, permissions: ['geolocation', 'notifications', 'accelerometer', 'gyroscope'] })
  await phone.browser.addInitScript(() => {
    let allowed = false
    addEventListener('deviceorientation', (event) => !allowed && event.stopImmediatePropagation())
    Object.assign(DeviceOrientationEvent, { requestPermission: async () => ((allowed = true), 'granted') })
  })
  await phone.signIn('amina.mentor')
  const camera = await open(phone, server.url)
  await showing(camera.locator('video'))
  const ask = button(camera, 'camera_level_ask')
  await expect(ask).toBeVisible()
  await expect(camera.locator('.level')).toHaveCount(0)
  await ask.click()
  await expect(ask).toHaveCount(0)
  const sensor = await phone.page.context().newCDPSession(phone.page)
  await sensor.send('DeviceOrientation.setDeviceOrientationOverride', { alpha: 0, beta: 90, gamma: 0 })
  await expect(camera.getByText(say('camera_level_good'), { exact: true })).toBeVisible()
})

for (const [error, key] of [
  ['NotAllowedError', 'camera_denied'],
  ['NotFoundError', 'camera_none'],
  ['NotReadableError', 'camera_busy'],
] as const) {
  test(`${error}: said in words, and a photo comes another way`, async ({ server, device }) => {
    const phone = await device(PHONE)
    await phone.browser.addInitScript((name) => {
      navigator.mediaDevices.getUserMedia = async () => {
        if ((window as { allowed?: boolean }).allowed) return document.createElement('canvas').captureStream()
        throw new DOMException('', name)
      }
    }, error)
    await phone.signIn('amina.mentor')
    const camera = await open(phone, server.url, 'front')
    await expect(camera.getByRole('alert')).toContainText(say(key))
    const app = camera.getByLabel(say('camera_app'))
    await expect(app).toHaveAttribute('capture', 'user')
    await expect(camera.getByLabel(say('camera_file'))).not.toHaveAttribute('capture')
    expect(await axe(phone.page)).toEqual([])
    await app.setInputFiles({ name: 'a.jpg', mimeType: 'image/jpeg', buffer: await draw(phone.page, 'scene', 1200, 900) })
    await usePhoto(camera)
    expect(await phone.all<Capture>('captures')).toHaveLength(1)
    // Allowed meanwhile: no new start of the app is needed.
    await phone.page.locator('a[href$="camera=subject"]').click()
    await expect(camera.getByRole('alert')).toBeVisible()
    await phone.page.evaluate(() => ((window as { allowed?: boolean }).allowed = true))
    await button(camera, 'try_again').click()
    await expect(camera.locator('video')).toBeVisible()
  })
}

test('a file that is no picture is refused in words', async ({ server, device }) => {
  const phone = await device(PHONE)
  await phone.signIn('amina.mentor')
  const camera = await open(phone, server.url)
  await camera.locator('input[type=file]').setInputFiles({ name: 'a.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('not a picture') })
  await expect(camera.getByText(say('error_not_a_picture'))).toBeVisible()
  await button(camera, 'camera_retake').click()
  await expect(camera.getByText(say('error_not_a_picture'))).toBeHidden()
  expect(await phone.all<Capture>('captures')).toEqual([])
})
