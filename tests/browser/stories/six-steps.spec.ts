// The product in one story: a mentor works where there is no network, a supervisor decides, both see the same.
import { type Evidence, signIn, type Visit } from '../harness/api'
import { choose, deliveryLine, next, photoButton, picturesShow, signByTouch, takePhoto } from '../harness/form'
import { PHONE, TABLET } from '../harness/phone'
import { until } from '../harness/processes'
import { expect, test } from '../harness/story'
import { begins, say } from '../harness/words'

const HEAD = 'Nafula Wekesa Barasa'
const SEEN = 'Tomatoes and kale sell well; the hen house has a new roof.'
const NOTE = 'Please say how much was put aside this month.'
const ADDED = ' KES 450 was put aside this month.'

interface Capture {
  id: string
  slot: string
  subject_kind: string
  state: string
  sha256: string
  bytes: number
}

test('from an empty road to an approved visit', async ({ server, line, device }) => {
  test.setTimeout(300_000)
  const phone = await device(PHONE, line.url)
  const tablet = await device(TABLET)
  const search = () => phone.page.getByRole('searchbox', { name: say('households_search') })
  let visit = ''
  let taken: Capture[] = []
  const amina = await signIn(server.url, 'amina.mentor')
  const homes = await amina.households()

  await test.step('1 · signed in once, everything is on the phone', async () => {
    await phone.signIn('amina.mentor')
    await expect(phone.page.getByRole('heading', { level: 1, name: say('today_title') })).toBeVisible()
    await expect(phone.page.getByText(say('sync_done'))).toBeVisible()
    expect(await phone.page.evaluate(() => navigator.serviceWorker.controller?.state)).toBe('activated')
    await expect.poll(async () => (await phone.all<{ kind: string }>('records')).filter((row) => row.kind === 'household').length).toBe(homes.length)
  })

  await test.step('2 · the server is dead, the phone was off, and Today opens', async () => {
    await phone.quit()
    await server.down('SIGKILL')
    await line.down()
    await phone.launch()
    await phone.goto('/')
    await expect(phone.page.getByRole('heading', { level: 1, name: say('today_title') })).toBeVisible()
    await expect(phone.page.getByText(say('today_hello', { name: 'Amina' }))).toBeVisible()
  })

  await test.step('2 · a household is found by part of its name, number, ID, phone and by its village', async () => {
    const { page } = phone
    const known = homes.find((home) => home.phone && home.number)!
    const village = (await phone.all<{ kind: string; id: string; body: { name: string } }>('records')).find(
      (row) => row.kind === 'place' && row.id === known.place,
    )!.body.name
    await page.getByRole('navigation', { name: say('nav_label') }).getByRole('link', { name: say('nav_households') }).click()
    const found = page.getByRole('list', { name: say('households_title') }).getByRole('link')
    const everyone = page.getByText(say('households_count', { count: homes.length }))
    await expect(everyone).toBeVisible()
    const surname = known.head_name.split(' ').at(-1)!
    for (const text of [surname.slice(0, 4).toLowerCase(), known.number!.slice(-5), known.national_id!.slice(2, 7), known.phone!.slice(5, 11), village]) {
      // Key by key, as people do: the list changes below and the field stays.
      await search().click()
      await page.keyboard.type(text, { delay: 60 })
      await expect(search()).toHaveValue(text)
      await expect(search()).toBeFocused()
      await expect(everyone, text).toBeHidden()
      await expect(found.filter({ hasText: known.number! }), text).toBeVisible()
      await search().fill('')
      await expect(everyone).toBeVisible()
    }
    await search().fill('nobody is called this')
    await expect(page.getByText(say('households_none_found', { text: 'nobody is called this' }))).toBeVisible()
  })

  await test.step('3 · a new household is registered', async () => {
    const { page } = phone
    await page.getByRole('link', { name: say('households_register') }).first().click()
    await page.getByLabel(say('field_head_name')).pressSequentially(HEAD)
    await choose(page, say('field_sex'), say('sex_female'))
    await page.getByLabel(say('field_village')).selectOption({ index: 2 })
    await page.getByLabel(begins('field_phone')).fill('0712 999 321')
    await takePhoto(page, page.getByRole('button', { name: say('photo_take') }))
    await page.getByRole('button', { name: say('register_save') }).click()
    await expect(page.getByText(say('saved_on_phone')).first()).toBeVisible()
    await expect(page.getByRole('heading', { level: 1, name: HEAD })).toBeVisible()
    await expect(page.getByText(say('household_no_number')).first()).toBeVisible()
    await expect(deliveryLine(page, say('delivery_household'))).toContainText(say('delivery_on_phone'))
  })

  await test.step('3 · the visit: what was seen, two photos and one taken again, the place, a signature', async () => {
    const { page } = phone
    await page.getByRole('link', { name: say('today_new_visit') }).click()
    await choose(page, say('field_topics'), say('topic_business'))
    await choose(page, say('field_topics'), say('topic_savings'))
    await page.getByLabel(say('field_observations')).pressSequentially(SEEN)
    await page.getByLabel(begins('field_income_estimate')).fill('12500')
    await next(page, 'photos')
    await takePhoto(page, photoButton(page, 'front'), { again: true })
    await takePhoto(page, photoButton(page, 'back'))
    const before = (await phone.all<Capture>('captures')).find(({ slot, subject_kind }) => slot === 'front' && subject_kind === 'visit')!
    await takePhoto(page, photoButton(page, 'front', true))
    await expect.poll(async () => (await phone.keys('blobs')).includes(before.id)).toBe(false)
    await next(page, 'place')
    await expect(page.getByText(say('place_found'))).toBeVisible()
    await expect(page.getByText(say('place_accuracy', { metres: 9 }))).toBeVisible()
    await next(page, 'signature')
    await choose(page, say('signature_language'), 'Kiswahili')
    await expect(page.locator('blockquote[lang=sw]')).toContainText(HEAD)
    await signByTouch(page)
    await page.getByRole('button', { name: say('signature_confirm') }).click()
    await expect(page.getByRole('status').filter({ hasText: say('signature_done') })).toBeVisible()
    await next(page, 'review')
    await expect(page.getByText(say('review_ready'))).toBeVisible()
    await expect(page.getByText(SEEN)).toBeVisible()
    await picturesShow(page.locator('figure'), 2)
  })

  await test.step('4 · saved on this phone, and it says what is not on the server yet', async () => {
    const { page } = phone
    await page.getByRole('button', { name: say('visit_save') }).click()
    await expect(page.getByText(say('saved_on_phone')).first()).toBeVisible()
    visit = /\/visits\/([\w-]+)/.exec(page.url())![1]!
    taken = await phone.all<Capture>('captures')
    expect(taken.map(({ slot, subject_kind }) => `${subject_kind} ${slot}`).sort()).toEqual(['household front', 'visit back', 'visit front'])
    expect(await phone.hashes()).toEqual(Object.fromEntries(taken.map(({ id, sha256 }) => [id, sha256])))
    for (const label of [say('delivery_visit'), say('slot_front'), say('slot_back')]) {
      await expect(deliveryLine(page, label)).toContainText(say('delivery_on_phone'))
    }
    await page.goto(`${phone.url}/`)
    await expect(page.getByText(say('items_both', { records: say('items_records', { count: 2 }), photos: say('items_photos', { count: 3 }) }))).toBeVisible()
    await page.goto(`${phone.url}/visits/${visit}?saved=1`)
  })

  await test.step('5 · the network is back: everything goes up by itself, and bytes stay until the receipt', async () => {
    const { page } = phone
    const records = line.hold((method, path) => method === 'POST' && path === '/api/sync')
    await server.up()
    await line.up()
    await records.reached
    await expect(deliveryLine(page, say('delivery_visit'))).toContainText(say('delivery_sending'))
    const photos = line.hold((method) => method === 'PATCH')
    records.open()
    await expect(deliveryLine(page, say('delivery_visit'))).toContainText(say('delivery_received'))
    await photos.reached
    const arrived = async () => (await amina.evidence()).filter(({ id }) => taken.some((one) => one.id === id))
    expect((await arrived()).every(({ state }) => state === 'announced')).toBe(true)
    // Every byte goes up; the answer that acknowledges them is held back.
    const receipt = line.hold((method, path) => method === 'POST' && path === '/api/sync')
    photos.open()
    await receipt.reached
    await until('every photo on the server', async () => (await arrived()).every(({ state }) => state === 'ready'))
    expect((await phone.keys('blobs')).sort()).toEqual(taken.map(({ id }) => id).sort())
    receipt.open()
    await expect.poll(() => phone.keys('blobs'), { timeout: 30_000 }).toEqual([])
    for (const label of [say('slot_front'), say('slot_back')]) {
      await expect(deliveryLine(page, label)).toContainText(say('delivery_received'))
    }
    const there = await arrived()
    const facts = ({ id, sha256, bytes }: Capture | Evidence) => ({ id, sha256, bytes })
    expect(there.map(facts).sort(byId)).toEqual(taken.map(facts).sort(byId))
    await page.goto(`${phone.url}/`)
    await expect(page.getByText(say('sync_done'))).toBeVisible()
  })

  await test.step('6 · the supervisor sees the evidence and returns the visit with a note', async () => {
    await tablet.signIn('grace.supervisor')
    const { page } = tablet
    await page.getByRole('list', { name: say('queue_waiting') }).getByRole('link').filter({ hasText: HEAD }).click()
    const evidence = page.getByRole('region', { name: say('queue_evidence') })
    await expect(evidence.getByRole('heading', { name: HEAD })).toBeVisible()
    await picturesShow(evidence.getByRole('region', { name: say('photos_title') }), 2)
    await picturesShow(evidence.locator('figure', { has: page.locator('blockquote') }), 1)
    await expect(evidence.locator('blockquote[lang=sw]')).toContainText(HEAD)
    await evidence.getByRole('button', { name: say('proof_verify') }).click()
    await expect(evidence.getByText(say('proof_valid'))).toBeVisible()
    await evidence.getByRole('button', { name: say('decide_return') }).click()
    await page.getByLabel(say('return_note')).fill(NOTE)
    // What is half written outlives the page.
    await expect.poll(async () => JSON.stringify(await tablet.all('drafts'))).toContain(NOTE)
    await page.reload()
    await tablet.unlock()
    await evidence.getByRole('button', { name: say('decide_return') }).click()
    await expect(page.getByLabel(say('return_note'))).toHaveValue(NOTE)
    await page.getByRole('button', { name: say('return_go') }).click()
    await expect(page.getByText(say('decided_returned', { name: HEAD })).first()).toBeVisible()
  })

  await test.step('6 · the mentor is told, corrects, and hands it in again', async () => {
    const { page } = phone
    const inbox = page.getByRole('navigation', { name: say('nav_label') }).getByRole('link', { name: say('nav_inbox') })
    await inbox.click()
    const message = page.getByRole('button', { name: say('inbox_returned', { name: HEAD }) })
    await expect(message).toContainText(NOTE, { timeout: 30_000 })
    await message.click()
    await expect(page.getByText(NOTE).first()).toBeVisible()
    await page.getByRole('link', { name: say('returned_correct') }).click()
    const seen = page.getByLabel(say('field_observations'))
    await expect(seen).toHaveValue(SEEN)
    await seen.press('End')
    await seen.pressSequentially(ADDED)
    await page.getByRole('navigation', { name: say('steps_label') }).getByRole('link', { name: say('step_review') }).click()
    await page.getByRole('button', { name: say('visit_save') }).click()
    await expect(page.getByText(say('saved_on_phone')).first()).toBeVisible()
    await until('the correction', async () => (await visits()).round === 2)
    expect((await visits()).observations).toBe(SEEN + ADDED)
  })

  await test.step('6 · the supervisor approves, the mentor is told, both see the same history', async () => {
    const { page } = tablet
    await page.getByRole('list', { name: say('queue_waiting') }).getByRole('link').filter({ hasText: HEAD }).click()
    const evidence = page.getByRole('region', { name: say('queue_evidence') })
    await expect(evidence.getByText(ADDED.trim())).toBeVisible()
    await evidence.getByRole('button', { name: say('decide_approve') }).click()
    await page.getByRole('dialog').getByRole('button', { name: say('look_approve') }).click()
    await expect(page.getByText(say('decided_approved', { name: HEAD })).first()).toBeVisible()
    await until('the approval', async () => (await visits()).state === 'approved')

    await phone.page.getByRole('navigation', { name: say('nav_label') }).getByRole('link', { name: say('nav_inbox') }).click()
    await expect(phone.page.getByRole('button', { name: say('inbox_approved', { name: HEAD }) })).toBeVisible({ timeout: 30_000 })

    const { household } = await visits()
    for (const device of [phone, tablet]) {
      await device.goto(`/households/${household}`)
      const history = device.page.getByRole('article').filter({ hasText: ADDED.trim() })
      await expect(history).toContainText(say('state_approved'))
      await expect(history).toContainText(say('signed_by', { name: HEAD }))
      await picturesShow(history, 2)
    }
    expect([...phone.errors, ...tablet.errors]).toEqual([])
  })

  async function visits(): Promise<Visit> {
    return (await amina.visits()).find(({ id }) => id === visit)!
  }
})

const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1)

test('where there is no position, the visit says why', async ({ server, device }) => {
  const phone = await device({ ...PHONE, permissions: [] })
  await phone.signIn('juma.mentor')
  const { page } = phone
  await page.getByRole('link', { name: say('today_new_visit') }).click()
  await page.getByRole('list', { name: say('households_title') }).getByRole('link').first().click()
  await choose(page, say('field_topics'), say('topic_health'))
  await next(page, 'photos')
  await takePhoto(page, photoButton(page, 'front'))
  await takePhoto(page, photoButton(page, 'back'))
  await next(page, 'place')
  await expect(page.getByText(say('place_refused_text'))).toBeVisible()
  await expect(page.getByRole('radio', { name: say('nogps_refused') })).toBeChecked()
  await choose(page, say('place_reason'), say('nogps_other'))
  await page.getByLabel(say('place_reason_text')).fill('The phone was borrowed')
  await next(page, 'signature')
  await signByTouch(page)
  await page.getByRole('button', { name: say('signature_confirm') }).click()
  await next(page, 'review')
  await page.getByRole('button', { name: say('visit_save') }).click()
  await expect(page.getByText(say('saved_on_phone')).first()).toBeVisible()
  const id = /\/visits\/([\w-]+)/.exec(page.url())![1]
  const juma = await signIn(server.url, 'juma.mentor')
  await until('the visit', async () => (await juma.visits()).some((one) => one.id === id))
  const visit = (await juma.visits()).find((one) => one.id === id)!
  expect(visit).toMatchObject({ state: 'submitted', lat: null, no_gps_reason: 'The phone was borrowed' })
})
