// The browser throws the phone's storage away. That cannot be undone; it must be seen, and said.
import { expect } from '@playwright/test'
import { say } from '../harness/words'
import { note, register, type Work } from './mentor'
import type { World } from './world'

/** All of the origin's storage at once, or only the account's database while the app is closed. */
export async function losses(world: World, doing: Work, homes: string[], mark: string): Promise<void> {
  const how = world.dice.pick(['storage cleared', 'database evicted'] as const)
  world.log(how)
  world.count(how)
  const { phone, weather } = world
  // Something that is only here, and would be lost.
  await phone.browser.setOffline(true)
  await note(doing, world.dice.pick(homes), `${mark}: mvua imenyesha`)
  await register(doing, mark, true)
  await phone.browser.setOffline(false)
  if (how === 'storage cleared') {
    const inspector = await phone.browser.newCDPSession(phone.page)
    const storageTypes = 'indexeddb,cache_storage,service_workers,local_storage,file_systems,websql'
    await inspector.send('Storage.clearDataForOrigin', { origin: weather.url, storageTypes })
    await inspector.detach()
  } else {
    await phone.page.goto('about:blank')
    await phone.page.goto(`${weather.url}/manifest.webmanifest`)
    await phone.page.evaluate(async () => {
      const names = (await indexedDB.databases()).map(({ name }) => name!).filter((name) => name.startsWith('kilele-'))
      for (const name of names) {
        await new Promise((done, fail) => {
          const asked = indexedDB.deleteDatabase(name)
          asked.onsuccess = done
          asked.onerror = fail
        })
      }
    })
  }
  world.ledger.excuse()
  await phone.page.goto(weather.url)
  const { page } = phone
  const said = page.getByText(say('storage_lost_title')).or(page.getByText(say('sync_storage_lost'))).first()
  await page.getByLabel(say('signin_password'), { exact: true }).or(said).first().waitFor()
  if (!(await said.isVisible())) {
    await phone.signIn('amina.mentor')
    await expect(said).toBeVisible()
  } else {
    await phone.signIn('amina.mentor')
  }
  await world.check()
  world.harmed()
}
