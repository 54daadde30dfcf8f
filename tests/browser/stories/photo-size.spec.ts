// What a phone makes of a camera's 12 megapixels: small, upright, without a trace of where, and quickly; or the file itself.
import { writeFileSync } from 'node:fs'
import { createDecipheriv, createHash } from 'node:crypto'
import { signIn } from '../harness/api'
import { usePhoto } from '../harness/form'
import { DESKTOP, type Device, PHONE } from '../harness/phone'
import { draw, withExif } from '../harness/pictures'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

interface Capture {
  id: string
  mime: string
  bytes: number
  sha256: string
  secret: string
  width: number
  height: number
}
test.setTimeout(300_000)

/** Registers a household with this file as its photo; answers what the phone kept and how long it took. */
async function register(phone: Device, name: string, file: Buffer): Promise<{ capture: Capture; shrunk: number; stored: number }> {
  const { page } = phone
  await phone.goto('/households/new')
  await page.getByLabel(say('field_head_name')).fill(name)
  await page.getByLabel(say('field_village')).selectOption({ index: 1 })
  await page.getByRole('button', { name: say('photo_take') }).click()
  const camera = page.getByRole('dialog')
  // The page's own clock: from the file in hand to the finished look at it, and from the touch to the closed camera.
  const timing = page.evaluate(
    ({ looking }) =>
      new Promise<number>((done) => {
        let begun = 0
        document.addEventListener('change', () => (begun = performance.now()), { once: true, capture: true })
        const watch = new MutationObserver(() => {
          const said = document.querySelector('dialog [role=status]')?.textContent?.trim()
          if (!begun || !said || said === looking) return
          watch.disconnect()
          done(performance.now() - begun)
        })
        watch.observe(document.body, { childList: true, subtree: true, characterData: true })
      }),
    { looking: say('camera_looking') },
  )
  // From the disk: bytes that are handed over would be put together in the page, six times as slow.
  const path = test.info().outputPath('IMG_1.jpg')
  writeFileSync(path, file)
  await camera.locator('input[type=file]').setInputFiles(path)
  const shrunk = await timing
  const keeping = page.evaluate(
    () =>
      new Promise<number>((done) => {
        let pressed = 0
        addEventListener('pointerdown', () => (pressed = performance.now()), { once: true, capture: true })
        const watch = new MutationObserver(() => {
          if (!pressed || document.querySelector('dialog[open]')) return
          watch.disconnect()
          done(performance.now() - pressed)
        })
        watch.observe(document.body, { childList: true, subtree: true, attributes: true })
      }),
  )
  await usePhoto(camera)
  const stored = await keeping
  const all = await phone.all<Capture>('captures')
  return { capture: all.sort((a, b) => a.id.localeCompare(b.id)).at(-1)!, shrunk, stored }
}

/** The picture as it was kept: ciphertext, opened with the key in its record. */
async function bytesOf(phone: Device, { id, secret }: Capture): Promise<Buffer> {
  const base64 = await phone.page.evaluate(async (wanted) => {
    const name = (await indexedDB.databases()).map((one) => one.name ?? '').find((one) => one.startsWith('kilele-'))!
    const db = await new Promise<IDBDatabase>((done) => {
      const opening = indexedDB.open(name)
      opening.onsuccess = () => done(opening.result)
    })
    const bytes = await new Promise<ArrayBuffer>((done) => {
      const asked = db.transaction('blobs').objectStore('blobs').get(wanted)
      asked.onsuccess = () => done(asked.result)
    })
    db.close()
    let text = ''
    for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte)
    return btoa(text)
  }, id)
  const cipher = Buffer.from(base64, 'base64')
  const open = createDecipheriv('aes-256-gcm', Buffer.from(secret, 'base64url'), Buffer.alloc(12))
  open.setAuthTag(cipher.subarray(-16))
  return Buffer.concat([open.update(cipher.subarray(0, -16)), open.final()])
}
const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!

test('12 megapixels at 6× throttle: upright, 1,600 px, at most 350 kB, nothing of EXIF', async ({ line, device }) => {
  const phone = await device(PHONE, line.url)
  await phone.signIn('amina.mentor')
  await line.down()
  const scene = withExif(await draw(phone.page, 'scene'), 6)
  const noise = await draw(phone.page, 'noise')
  expect(scene.includes('Exif')).toBe(true)
  const slow = await phone.page.context().newCDPSession(phone.page)
  await slow.send('Emulation.setCPUThrottlingRate', { rate: 6 })
  const shrunk: number[] = []
  const stored: number[] = []
  for (let i = 0; i < 5; i++) {
    const one = await register(phone, `Measured ${i}`, scene)
    shrunk.push(one.shrunk)
    stored.push(one.stored)
    // Lying on its side in the file, upright here.
    expect(one.capture).toMatchObject({ width: 1200, height: 1600, mime: 'image/jpeg' })
    expect(one.capture.bytes).toBeLessThanOrEqual(350_000)
    const bytes = await bytesOf(phone, one.capture)
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(one.capture.sha256)
    expect(bytes.includes('Exif')).toBe(false)
  }
  const worst = await register(phone, 'Noise', noise)
  expect(worst.capture.bytes).toBeLessThanOrEqual(350_000)
  const ms = (values: number[]) => `${Math.round(median(values))} ms (${values.map(Math.round).join(', ')})`
  console.log(
    `12 MP of ${Math.round(scene.length / 1000)} kB: shrunk in ${ms(shrunk)}, stored ${ms(stored)} after the touch; ` +
      `noise of ${Math.round(noise.length / 1000)} kB: ${worst.capture.width} × ${worst.capture.height}, ${worst.capture.bytes} bytes, ${Math.round(worst.shrunk)} ms`,
  )
})

test('the organisation asks for originals: the camera’s file arrives as it came, and stops when it no longer does', async ({ server, device }) => {
  const phone = await device(PHONE)
  await phone.signIn('amina.mentor')
  const desk = await device(DESKTOP)
  await desk.signIn('admin.demo')
  await desk.goto('/admin')
  const wish = desk.page.getByRole('switch', { name: say('originals_label') })
  await expect(wish).not.toBeChecked()
  await wish.click()
  await expect(desk.page.getByText(say('originals_on'))).toBeVisible()

  const asks = async () =>
    (await phone.all<{ kind: string; body: { keep_originals?: boolean } }>('records')).find(({ kind }) => kind === 'organisation')?.body.keep_originals
  await expect.poll(asks).toBe(true)
  const file = withExif(await draw(phone.page, 'scene'), 6)
  const arrive = async (name: string) => {
    const { capture } = await register(phone, name, file)
    await phone.page.getByRole('button', { name: say('register_save') }).click()
    const amina = await signIn(server.url, 'amina.mentor')
    const arrived = async () => (await amina.evidence()).find(({ id }) => id === capture.id)
    await until('the photo', async () => (await arrived())?.state === 'ready', 120_000)
    return { capture, evidence: (await arrived())! }
  }
  const whole = await arrive('Original')
  const sha256 = createHash('sha256').update(file).digest('hex')
  expect(whole.capture).toMatchObject({ sha256, bytes: file.length, width: 3000, height: 4000 })
  expect(whole.evidence).toMatchObject({ sha256, bytes: file.length })

  await wish.click()
  await expect(desk.page.getByText(say('originals_off'))).toBeVisible()
  await expect.poll(asks).toBe(false)
  const small = await arrive('Small')
  expect(small.evidence.bytes).toBeLessThanOrEqual(350_000)
  // The way back is remembered by the server, too.
  await desk.page.reload()
  await expect(wish).not.toBeChecked()
})

