// A phone whose storage does not answer says so, with a way on, and goes on by itself when it does.
import { PHONE } from '../harness/phone'
import { expect, test } from '../harness/story'
import { say } from '../harness/words'

test('a start that waits for the storage does not show the mark of the house for ever', async ({ device }) => {
  const phone = await device(PHONE)
  await phone.signIn('amina.mentor')
  // As long as this page lives, every database is about to be deleted, and whoever opens one waits behind that.
  const other = await phone.browser.newPage()
  await other.goto(`${phone.url}/manifest.webmanifest`)
  await phone.page.goto('about:blank')
  await other.evaluate(async () => {
    for (const { name } of await indexedDB.databases()) {
      await new Promise((done) => (indexedDB.open(name!).onsuccess = done))
      const asked = indexedDB.deleteDatabase(name!)
      await new Promise((done) => (asked.onblocked = done))
    }
  })
  await phone.page.goto(phone.url)
  const failed = phone.page.getByRole('heading', { level: 1, name: say('failed_title') })
  await expect(failed).toBeVisible({ timeout: 30_000 })
  await expect(phone.page.getByRole('button', { name: say('try_again') })).toBeVisible()
  await expect(phone.page.getByText(say('failed_storage'))).toBeVisible()
  await other.close()
  await expect(failed).toBeHidden()
  await expect(phone.page.getByLabel(say('signin_password'), { exact: true })).toBeVisible()
  expect(phone.errors).toEqual([])
})
