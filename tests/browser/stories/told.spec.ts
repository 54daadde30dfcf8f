// How a person is told: a number is used once its code was typed, and what they hear of is chosen by groups.
import { createServer, type Server as Http } from 'node:http'
import { once } from 'node:events'
import { signIn } from '../harness/api'
import { axe } from '../harness/axe'
import { PHONE } from '../harness/phone'
import { Server } from '../harness/server'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

interface Message {
  to: string
  text: string
}

/** A gateway for text messages that keeps what it gets. */
async function gateway(): Promise<{ url: string; got: Message[]; http: Http }> {
  const got: Message[] = []
  const http = createServer((request, answer) => {
    let body = ''
    request.on('data', (part) => (body += part))
    request.on('end', () => {
      got.push(JSON.parse(body) as Message)
      answer.writeHead(202).end()
    })
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  return { url: `http://127.0.0.1:${(http.address() as { port: number }).port}/`, got, http }
}

test('a number is confirmed by its code, and a whole group is set at once', async ({ device }) => {
  const { url, got, http } = await gateway()
  const server = await Server.start({ env: { KILELE_SMS_URL: url } })
  try {
    const phone = await device(PHONE, server.url)
    const { page } = phone
    await phone.signIn('amina.mentor')
    await phone.goto('/me/told')
    const save = page.getByRole('button', { name: say('told_save'), exact: true })
    await page.getByLabel(say('told_phone')).fill('0712 345 678')
    await save.click()
    // The code is on its way without being asked for.
    await expect(page.getByText(say('told_code_sent'))).toBeVisible()
    await expect.poll(() => got.length).toBe(1)
    expect(got[0]!.to).toBe('+254712345678')
    const code = /\d{6}/.exec(got[0]!.text)![0]
    await expect(page.getByRole('button', { name: /Another code in \d:\d\d/ })).toBeDisabled()
    const field = page.getByLabel(say('told_code'), { exact: true })
    const confirm = page.getByRole('button', { name: say('told_confirm'), exact: true })
    await expect(confirm).toBeDisabled()
    await field.fill(code === '000000' ? '000001' : '000000')
    await confirm.click()
    await expect(page.getByText(say('error_code_wrong'))).toBeVisible()
    // While it asks, it is pale.
    await expect(confirm).toBeEnabled()
    await expect(confirm).not.toHaveAttribute('aria-busy', 'true')
    expect(await axe(page)).toEqual([])
    await field.fill(`${code.slice(0, 3)} ${code.slice(3)}`)
    await field.press('Enter')
    await expect(page.getByText(say('told_confirmed')).first()).toBeVisible()
    await expect(field).toBeHidden()

    // A group opens with the keyboard, says what it comes to, and is set in one go.
    const group = page.locator('details').filter({ hasText: say('told_group_visits') }).first()
    const summary = group.locator('summary')
    await expect(summary).toContainText(say('told_push'))
    await summary.focus()
    await page.keyboard.press('Enter')
    const whole = group.getByRole('group', { name: say('told_whole') })
    await whole.getByRole('checkbox', { name: say('told_sms') }).click()
    const count = await group.locator('fieldset').count() - 1
    await expect(summary).toContainText(say('told_changed', { count: String(count) }))
    const one = group.locator('fieldset').nth(1)
    await one.getByRole('checkbox', { name: say('told_push') }).click()
    await expect(whole.getByText(say('told_partly', { ways: say('told_push') }))).toBeVisible()
    await save.click()
    await expect(page.getByText(say('told_saved')).first()).toBeVisible()
    await page.reload()
    await phone.unlock()
    await expect(page.getByText(say('told_confirmed')).first()).toBeVisible()
    await expect(summary).toContainText(say('told_changed', { count: String(count) }))
    await summary.click()
    await group.getByRole('button', { name: say('told_as_usual') }).click()
    await expect(summary).not.toContainText(say('told_changed', { count: String(count) }))
    await save.click()
    await expect(page.getByText(say('told_saved')).first()).toBeVisible()

    // Another number is another person's until its code was typed.
    await page.getByLabel(say('told_phone')).fill('0712 345 679')
    await expect(page.getByText(say('told_code_after_saving'))).toBeVisible()
    await save.click()
    await expect(page.getByText(say('told_unconfirmed'))).toBeVisible()

    // An administrator who knows it to be hers says so.
    const admin = await device({ viewport: { width: 1280, height: 800 } }, server.url)
    await admin.signIn('admin.demo')
    await admin.goto('/admin/members')
    await admin.page.getByRole('button', { name: /Amina Hassan/ }).first().click()
    await admin.page.getByRole('button', { name: say('member_told_show') }).click()
    await expect(admin.page.getByText('+254712345679')).toBeVisible()
    expect(await axe(admin.page)).toEqual([])
    await admin.page.getByRole('button', { name: say('member_told_vouch') }).click()
    await expect(admin.page.getByText(say('told_vouched'))).toBeVisible()
    const amina = await signIn(server.url, 'amina.mentor')
    const { addresses } = await amina.get<{ addresses: { channel: string; confirmed: string }[] }>('/api/me/told')
    expect(addresses).toMatchObject([{ channel: 'sms', confirmed: 'vouched' }])
  } finally {
    http.close()
    await server.end()
  }
})
