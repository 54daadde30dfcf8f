// Every screen on the way of a grant: readable by everyone, in light and dark, without a network and with faults.
import { type Household, signIn, uuid7 } from '../harness/api'
import type { Group } from '../harness/climbing'
import type { Enrolment } from '../harness/enrolling'
import { acknowledge, decide, grantNow, release, submit } from '../harness/grants-api'
import { look, press } from '../harness/look'
import { member, policy } from '../harness/office'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

test.describe.configure({ timeout: 600_000 })

test('grants in every state', async ({ server, device }) => {
  const { url } = server
  const admin = await signIn(url, 'admin.demo')
  const [esther, peter] = [await member(url, admin, 'esther.manager', 'programme_manager'), await member(url, admin, 'peter.approver', 'approver')]
  const [amina, grace] = [await signIn(url, 'amina.mentor'), await signIn(url, 'grace.supervisor')]
  const enrolled = (await amina.all<Enrolment>('enrolment')).filter(({ state, mentor }) => state === 'active' && mentor === amina.member)
  const { programme } = enrolled[0]!
  const seed = await policy(esther, programme, 'SB')
  await policy(esther, programme, 'PR')
  const taking = (home: string) => enrolled.some((one) => one.household === home && one.programme === programme)
  const groups = (await amina.all<Group>('group')).filter(({ state, members }) => state === 'active' && members.every(({ household }) => taking(household)))
  // The smallest: whoever is not in it applies alone.
  const group = groups.sort((one, other) => one.members.length - other.members.length)[0]!
  const free = (await amina.households()).filter(({ id }) => taking(id) && !group.members.some(({ household }) => household === id))
  // The longest names are the hardest.
  const homes: Household[] = free.sort((a, b) => b.head_name.length - a.head_name.length)
  const next = (): Household => {
    const home = homes.shift()
    if (!home) throw new Error('nobody is left to apply')
    return home
  }
  const spare = next()
  const apply = () => submit(amina, next(), seed)
  const [submitted, returned] = [await apply(), await apply()]
  await decide(grace, returned, 'return')
  const recommended = [await apply(), await apply()]
  for (const one of recommended) await decide(grace, one, 'review', 'recommend')
  const [paid, received] = [next(), next()]
  const [released, disbursed] = [await submit(amina, paid, seed), await submit(amina, received, seed)]
  for (const one of [released, disbursed]) {
    await decide(grace, one, 'review', 'recommend')
    await decide(peter, one, 'approve')
    await release(esther, one, `MPESA-${one.slice(-4)}`)
  }
  await acknowledge(amina, disbursed, received)
  const part = (await grantNow(amina, released)).tranches[0]!.id
  const [receipt] = await amina.all<{ id: string }>('acknowledgement')

  await look('amina.mentor', 'grants-mentor', url, device, [
    { name: 'today', path: '/' },
    ...['policy', 'plan', 'amount', 'items', 'signatures', 'review'].map((step) => ({ name: `group-${step}`, path: `/grants/new?draft=${uuid7()}&group=${group.id}&step=${step}` })),
    { name: 'alone', path: `/grants/new?household=${spare.id}` },
    { name: 'returned', path: `/grants/${returned}` },
    { name: 'again', path: `/grants/new?draft=${returned}&step=amount` },
    { name: 'receive', path: `/grants/${released}/receive/${part}` },
    { name: 'receive-faults', path: `/grants/${released}/receive/${part}`, act: press('receive_save') },
    { name: 'receipt', path: `/grants/${disbursed}/receipt/${receipt!.id}` },
    { name: 'use', path: `/grants/${disbursed}/use` },
    { name: 'use-faults', path: `/grants/${disbursed}/use`, act: press('grant_use_save') },
    { name: 'disbursed', path: `/grants/${disbursed}` },
    { name: 'dispute', path: `/grants/${disbursed}`, act: press('grant_do_dispute') },
    { name: 'missing', path: `/grants/${uuid7()}` },
    { name: 'offline', path: `/grants/${disbursed}`, act: (page) => page.context().setOffline(true) },
  ])
  await look('grace.supervisor', 'grants-supervisor', url, device, [
    { name: 'review', path: `/grants/waiting/${submitted}?show=review` },
    { name: 'return', path: `/grants/waiting/${submitted}?show=review`, act: press('grant_do_return') },
    { name: 'nothing', path: '/grants/waiting?show=verification' },
  ])
  await decide(peter, recommended[0]!, 'approve')
  await look('esther.manager', 'grants-manager', url, device, [
    { name: 'release', path: '/grants/release' },
    // With grants to draw.
    { name: 'figures', path: '/figures', act: (page, language) => expect(page.getByRole('img', { name: say('dash_grants', {}, language) })).toBeVisible() },
    {
      name: 'release-file',
      path: '/grants/release',
      act: async (page, language) => {
        const text = `Details,Paid out,Receipt No.\nGrant ${(await grantNow(esther, recommended[0]!)).number},15593,QA1\nRent,9000,QA2\n`
        await page.locator('input[type=file]').setInputFiles({ name: 'payments.csv', mimeType: 'text/csv', buffer: Buffer.from(text) })
        await expect(page.getByText(say('release_not_found', {}, language), { exact: true })).toBeVisible()
      },
    },
    { name: 'pay', path: `/grants/${recommended[0]!}`, act: press('grant_do_release') },
    {
      name: 'pay-faults',
      path: `/grants/${recommended[0]!}`,
      act: async (page, language) => {
        await press('grant_do_release')(page, language)
        await page.getByRole('dialog').getByRole('button', { name: say('grant_do_release', {}, language), exact: true }).click()
      },
    },
    { name: 'reverse', path: `/grants/${disbursed}`, act: press('grant_do_reverse') },
  ])
  await decide(grace, submitted, 'review', 'recommend')
  await look('peter.approver', 'grants-approver', url, device, [
    { name: 'decision', path: '/grants/waiting?show=decision' },
    {
      name: 'batch',
      path: '/grants/waiting?show=decision',
      act: async (page, language) => {
        await press('batch_choose')(page, language)
        await page.getByRole('checkbox').first().check()
      },
    },
    {
      name: 'approve',
      path: `/grants/waiting/${recommended[1]!}?show=decision`,
      act: press('grant_do_approve'),
    },
    {
      name: 'approve-offline',
      path: `/grants/waiting/${recommended[1]!}?show=decision`,
      act: async (page, language) => {
        await page.context().setOffline(true)
        await press('grant_do_approve')(page, language)
      },
    },
  ])
})
