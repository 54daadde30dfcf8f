// A phone that several people share: each has a PIN, nobody's records lie there in clear, and what waits arrives all the same.
import { type Api, type Login, signIn } from '../harness/api'
import { dump, foundIn } from '../harness/dump'
import { type Device, PHONE, PIN } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'
import { register } from '../harness/work'

interface Member {
  id: string
  name: string
}

/** Names, ids and numbers of everybody this account may see. */
async function secretsOf(api: Api): Promise<string[]> {
  const [homes, visits, people] = await Promise.all([
    api.all<{ id: string; head_name: string; phone: string | null; national_id: string | null; number: string | null; members: Member[] }>('household'),
    api.visits(),
    api.all<Member>('person'),
  ])
  const texts = [
    ...homes.flatMap((home) => [home.id, home.head_name, home.phone, home.national_id, home.number, ...home.members.flatMap(({ id, name }) => [id, name])]),
    // A second name that everybody shares with nobody: names in parts, too.
    ...homes.flatMap(({ head_name }) => head_name.split(' ')),
    ...homes.flatMap(({ phone }) => (phone ? [phone.slice(-9)] : [])),
    ...visits.flatMap(({ id, observations }) => [id, observations]),
    // One's own id of an employee stands open, so that a locked phone can say for whom it delivers.
    ...people.flatMap(({ id, name }) => (id === api.member ? [name] : [id, name])),
  ]
  const secrets = texts.filter((text): text is string => Boolean(text) && text!.length >= 4)
  expect(secrets.length).toBeGreaterThan(200)
  return secrets
}

async function lock(phone: Device): Promise<void> {
  await phone.goto('/me')
  await phone.page.getByRole('button', { name: say('security_lock') }).click()
  await expect(phone.page.locator('input#pin')).toBeVisible()
}

async function other(phone: Device, login: Login): Promise<void> {
  const { page } = phone
  await page.getByRole('button', { name: say('unlock_other') }).click()
  await page.getByRole('link', { name: say('people_other') }).click()
  await page.getByLabel(say('signin_login'), { exact: true }).fill(login)
  await page.getByLabel(say('signin_password'), { exact: true }).fill('kilele-demo-2026')
  await page.getByRole('button', { name: say('signin_go'), exact: true }).click()
  await phone.choosePin()
  await phone.settled()
}

test('two mentors: nothing of either in clear, switching without a network, each in their own name', async ({ server, device }) => {
  test.setTimeout(240_000)
  const phone = await device(PHONE)
  const { page } = phone
  const [amina, juma] = [await signIn(server.url, 'amina.mentor'), await signIn(server.url, 'juma.mentor')]
  // Both work here, and a locked phone must say for whom it delivers: their own ids stand open beside what waits.
  const own = [amina.member, juma.member]
  const secrets = [...(await secretsOf(amina)), ...(await secretsOf(juma))].filter((one) => !own.includes(one))
  // JFIF: what each JPEG begins with, of faces that were fetched and of photos taken here.
  secrets.push('Zawadi', 'Kiprotich', '711222333', '24681357', 'JFIF')
  const nothingInClear = async () => {
    const text = await dump(page)
    expect(text.length).toBeGreaterThan(20_000)
    expect(foundIn(text, secrets)).toEqual([])
  }

  await phone.signIn('amina.mentor')
  // Faces are fetched and kept, too.
  await phone.goto('/households')
  await expect(page.getByRole('list', { name: say('households_title') }).locator('img').first()).toBeVisible()
  await nothingInClear()
  // What was captured here and has not been sent, too; a locked phone may deliver it while Juma signs in.
  await phone.browser.setOffline(true)
  await register(phone, 'Zawadi Kiprotich', { tel: '0711222333', nationalId: '24681357' })
  expect(await phone.keys('blobs')).toHaveLength(1)
  const made = await phone.all<{ command: { body: { household: { id: string } } } }>('outbox')
  secrets.push(...made.map(({ command }) => command.body.household.id))
  await nothingInClear()
  await lock(phone)
  await nothingInClear()
  await phone.browser.setOffline(false)
  await other(phone, 'juma.mentor')
  await expect(page.getByText(say('today_hello', { name: 'Juma' }))).toBeVisible()
  await nothingInClear()

  await phone.browser.setOffline(true)
  await lock(phone)
  await page.getByRole('button', { name: say('unlock_other') }).click()
  await page.getByRole('button', { name: /^AH/ }).click()
  await page.goto(`${phone.url}/`)
  const asked = page.locator('input#pin')
  await expect(asked).toBeVisible()
  await asked.evaluate((input: HTMLInputElement, pin) => {
    const begun = performance.now()
    const seen = new MutationObserver(() => {
      if (!document.querySelector('main h1') || document.querySelector('input#pin')) return
      seen.disconnect()
      ;(window as unknown as { took: number }).took = performance.now() - begun
    })
    seen.observe(document.body, { childList: true, subtree: true })
    input.value = pin
    input.dispatchEvent(new InputEvent('input', { bubbles: true }))
  }, PIN)
  await expect(page.getByText(/Amina|Juma/).first()).toBeVisible()
  const took = await page.evaluate(() => (window as unknown as { took: number }).took)
  console.log(`unlocked without a network in ${Math.round(took)} ms of 1000`)
  await phone.browser.setOffline(false)
})

test('with another’s session in the browser, work is recorded in the name of whoever unlocked', async ({ server, device }) => {
  test.setTimeout(240_000)
  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await lock(phone)
  await other(phone, 'juma.mentor')
  await lock(phone)
  await page.getByRole('button', { name: say('unlock_other') }).click()
  await page.getByRole('button', { name: /^AH/ }).click()
  await phone.unlock()
  await expect(page.locator('input#pin')).toHaveCount(0)
  await register(phone, 'Nafula Wekesa')
  const amina = await signIn(server.url, 'amina.mentor')
  const hers = async () => (await amina.all<{ head_name: string; registered_by: string }>('household')).find((home) => home.head_name === 'Nafula Wekesa')
  await until('the household', async () => Boolean(await hers()))
  expect((await hers())!.registered_by).toBe(amina.member)
})

test('a locked phone delivers what was saved on it, and the person finds it received', async ({ server, device }) => {
  test.setTimeout(240_000)
  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await phone.browser.setOffline(true)
  await register(phone, 'Nafula Wekesa')
  const photos = await phone.hashes()
  await lock(phone)
  const amina = await signIn(server.url, 'amina.mentor')
  await phone.browser.setOffline(false)
  const [photo] = Object.entries(photos) as [[string, string]]
  await until('the photo from the locked phone', async () => (await amina.evidence()).find(({ id }) => id === photo[0])?.state === 'ready')
  expect((await amina.evidence()).find(({ id }) => id === photo[0])!.sha256).toBe(photo[1])
  await expect(page.locator('input#pin')).toBeVisible()
  await phone.unlock()
  await expect.poll(() => phone.keys('blobs')).toEqual([])
  await expect.poll(() => phone.keys('items')).toEqual([])
  const homes = (await amina.households()).filter(({ head_name }) => head_name === 'Nafula Wekesa')
  expect(homes).toHaveLength(1)
})

test('ten wrong PINs: what can be read goes, what was saved arrives, and a new PIN begins anew', async ({ server, device }) => {
  test.setTimeout(300_000)
  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await page.clock.install()
  await phone.browser.setOffline(true)
  await register(phone, 'Nafula Wekesa')
  await lock(phone)
  await page.clock.runFor(500)
  const asked = page.locator('input#pin')
  for (let wrong = 1; wrong <= 10; wrong++) {
    await expect(asked).toBeEnabled()
    await asked.fill('111222')
    if (wrong === 10) break
    await expect(asked).toHaveValue('')
    await expect(page.getByText(wrong === 9 ? say('pin_wrong_last') : say('pin_wrong', { count: 10 - wrong }))).toBeVisible()
    if (wrong < 3) continue
    await expect(asked).toBeDisabled()
    // A reload does not shorten it.
    if (wrong === 3) {
      await page.reload()
      await expect(asked).toBeDisabled()
    }
    for (let minute = 0; minute < 11 && (await asked.isDisabled()); minute++) await page.clock.runFor(60_000)
  }
  await expect(page.getByRole('heading', { level: 1, name: say('wiped_title') })).toBeVisible()
  await expect(page.getByText(say('wiped_waiting', { count: 2 }))).toBeVisible()
  await phone.browser.setOffline(false)
  const amina = await signIn(server.url, 'amina.mentor')
  await page.getByRole('link', { name: say('signin_title') }).click()
  await page.getByLabel(say('signin_login'), { exact: true }).fill('amina.mentor')
  await page.getByLabel(say('signin_password'), { exact: true }).fill('kilele-demo-2026')
  await page.getByRole('button', { name: say('signin_go'), exact: true }).click()
  await phone.choosePin('en', '908172')
  await until('the household from the wiped phone', async () =>
    (await amina.households()).some(({ head_name }) => head_name === 'Nafula Wekesa'),
  )
  // Everything readable is fetched again, the new household with it.
  await page.goto(`${phone.url}/households`)
  await phone.unlock('908172')
  await page.getByRole('searchbox', { name: say('households_search') }).fill('Nafula Wekesa')
  await expect(page.getByRole('list', { name: say('households_title') }).getByRole('link').filter({ hasText: 'Nafula Wekesa' })).toBeVisible()
})

test('five minutes away: locked, and what was typed is there again', async ({ device }) => {
  test.setTimeout(180_000)
  const phone = await device(PHONE)
  const { page } = phone
  await phone.signIn('amina.mentor')
  await page.clock.install()
  await phone.goto('/households/new')
  await page.getByLabel(say('field_head_name')).pressSequentially('Nafula W')
  await page.clock.runFor(4 * 60_000)
  await expect(page.getByLabel(say('field_head_name'))).toBeVisible()
  await page.clock.runFor(70_000)
  await expect(page.locator('input#pin')).toBeVisible()
  await expect(page.getByText('Nafula W')).toHaveCount(0)
  expect(await page.evaluate(() => document.body.innerText)).not.toContain('Amina')
  await phone.unlock()
  await phone.goto('/')
  await expect(page.getByText(/Nafula W/)).toBeVisible()
})

test('the phone’s screen lock opens it too', async ({ device }) => {
  const phone = await device(PHONE)
  const { page } = phone
  const inspector = await phone.browser.newCDPSession(page)
  await inspector.send('WebAuthn.enable')
  await inspector.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', ctap2Version: 'ctap2_1', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
      hasPrf: true, isUserVerified: true, automaticPresenceSimulation: true,
    },
  })
  await phone.signIn('amina.mentor')
  await phone.goto('/me')
  const toggle = page.getByRole('switch', { name: say('security_screen') })
  await toggle.click()
  await expect(toggle).toBeChecked()
  await expect(toggle).toBeEnabled()
  await page.reload()
  await phone.unlock()
  await expect(toggle).toBeChecked()
  await page.getByRole('button', { name: say('security_lock') }).click()
  await page.getByRole('button', { name: say('unlock_screen') }).click()
  await expect(page.locator('input#pin')).toHaveCount(0)
  await expect(page.getByText('Amina Hassan').first()).toBeVisible()
})
