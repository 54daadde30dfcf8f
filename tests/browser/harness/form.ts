// The hands of a mentor: taking photos, signing, going through the steps of the visit form.
import { expect, type Locator, type Page } from '@playwright/test'
import { say } from './words'

/** Touches a chip; underneath it is a native radio button or check box. */
export async function choose(page: Page | Locator, group: string | RegExp, chip: string): Promise<void> {
  await page.getByRole('group', { name: group }).getByLabel(chip, { exact: true }).click()
}

/** Opens the viewfinder by `button`, takes a photo, takes it again, and keeps the second. */
export async function takePhoto(page: Page, button: Locator, { again = false } = {}): Promise<void> {
  await button.click()
  const camera = page.getByRole('dialog')
  const shutter = camera.getByRole('button', { name: say('camera_shutter') })
  const shot = camera.getByRole('img', { name: say('camera_taken') })
  await showing(camera.locator('video'))
  await shutter.click()
  await expect(shot).toBeVisible()
  if (again) {
    await camera.getByRole('button', { name: say('camera_retake') }).click()
    await showing(camera.locator('video'))
    await shutter.click()
    await expect(shot).toBeVisible()
  }
  await usePhoto(camera)
}

/** Whatever was said about it. */
export async function usePhoto(camera: Locator): Promise<void> {
  await expect(camera.getByRole('status')).not.toHaveText(say('camera_looking'))
  await camera.getByRole('button', { name: eitherOf('camera_use', 'camera_use_anyway') }).click()
  await expect(camera).toBeHidden()
}
const eitherOf = (...keys: string[]) => new RegExp(`^(${keys.map((key) => say(key)).join('|')})$`)

/** The camera's picture is there: a frame can be grabbed. */
export async function showing(video: Locator): Promise<void> {
  await expect.poll(() => video.evaluate((one: HTMLVideoElement) => one.videoWidth)).toBeGreaterThan(0)
}

/** Writes a name-like scribble with a finger, stroke by stroke. */
export async function signByTouch(page: Page): Promise<void> {
  const canvas = page.getByRole('img', { name: say('signature_pad') })
  await canvas.scrollIntoViewIfNeeded()
  const box = (await canvas.boundingBox())!
  const finger = await page.context().newCDPSession(page)
  for (let stroke = 0; stroke < 3; stroke++) {
    const at = (step: number) => ({
      x: box.x + box.width * (0.12 + 0.26 * stroke + 0.018 * step),
      y: box.y + box.height * (0.5 + 0.22 * Math.sin(step * 1.1 + stroke)),
    })
    await finger.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [at(0)] })
    for (let step = 1; step <= 12; step++) {
      await finger.send('Input.dispatchTouchEvent', { type: 'touchMove', touchPoints: [at(step)] })
    }
    await finger.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] })
  }
  await finger.detach()
}

/** Signs, and says that this is the signature. */
export async function sign(page: Page): Promise<void> {
  await signByTouch(page)
  await page.getByRole('button', { name: say('signature_confirm') }).click()
  await expect(page.getByRole('status').filter({ hasText: say('signature_done') })).toBeVisible()
}

/** Does what asks once more before it is done; `why` where words are asked for. */
export async function act(page: Page, action: string, why?: string): Promise<void> {
  await insist(page, action, async (dialog) => {
    if (why) await dialog.getByLabel(say('enrolment_reason')).fill(why)
  })
}

/** The same where the dialog asks for more. */
export async function insist(page: Page, action: string, fill: (dialog: Locator) => Promise<unknown>): Promise<void> {
  const dialog = page.getByRole('dialog')
  const [go, moved] = [dialog.getByRole('button', { name: say(action), exact: true }), dialog.getByText(say('error_stale'))]
  for (;;) {
    await page.getByRole('button', { name: say(action), exact: true }).click()
    await fill(dialog)
    const done = await go.click({ timeout: 10_000 }).then(() => true, () => false)
    if (done) break
    // The news of what somebody else did came meanwhile: one looks, and does it all the same.
    await expect(moved).toBeVisible()
    await dialog.getByRole('button', { name: say('look_back'), exact: true }).click()
  }
  await expect(dialog).toBeHidden()
}

export const next = (page: Page, step: string): Promise<void> =>
  page.getByRole('link', { name: say('next_step', { step: say(`step_${step}`) }) }).click()

/** The button that opens the viewfinder for one slot of the visit. */
export const photoButton = (page: Page, slot: 'front' | 'back', kept = false): Locator =>
  page.getByRole('link', { name: `${say(kept ? 'photo_retake' : 'photo_take')}: ${say(`slot_${slot}`)}` })

/** Every picture in `within` is a picture and no broken link. */
export async function picturesShow(within: Locator, atLeast: number): Promise<void> {
  const images = within.locator('img')
  await expect.poll(() => images.count(), { timeout: 30_000 }).toBeGreaterThanOrEqual(atLeast)
  for (const image of await images.all()) {
    await image.scrollIntoViewIfNeeded()
    await expect.poll(() => image.evaluate((one: HTMLImageElement) => one.naturalWidth), { timeout: 30_000 }).toBeGreaterThan(0)
  }
}

/** Where one part of a record is, in the words of its line. */
export const deliveryLine = (page: Page, label: string): Locator =>
  page.getByRole('listitem').filter({ has: page.getByText(label, { exact: true }) }).locator('.line')

/** Gives the camera's place to a file (`button`: opens the camera, unless it is open): a scene of 1,600 × 1,200 so full of detail that it stays large. */
export async function photoFromFile(page: Page, button: Locator | null): Promise<void> {
  await button?.click()
  const camera = page.getByRole('dialog')
  const base64 = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(1600, 1200)
    const context = canvas.getContext('2d')!
    const image = context.createImageData(1600, 1200)
    let dice = 7
    for (let i = 0; i < image.data.length; i += 4) {
      dice = (dice * 1_103_515_245 + 12_345) & 0x7fffffff
      for (let c = 0; c < 3; c++) image.data[i + c] = 90 + ((dice >> (8 + c)) & 63)
      image.data[i + 3] = 255
    }
    context.putImageData(image, 0, 0)
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.9 })
    const bytes = new Uint8Array(await blob.arrayBuffer())
    let text = ''
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192))
    return btoa(text)
  })
  const file = { name: 'scene.jpg', mimeType: 'image/jpeg', buffer: Buffer.from(base64, 'base64') }
  await camera.locator('input[type=file]').setInputFiles(file)
  await expect(camera.getByRole('img', { name: say('camera_taken') })).toBeVisible()
  await usePhoto(camera)
}
