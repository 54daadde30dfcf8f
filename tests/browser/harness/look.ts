// Looks at many screens as one person, in each language, and says everything that is wrong at once.
import { expect } from '@playwright/test'
import type { BrowserContextOptions } from '@playwright/test'
import type { Login } from './api'
import { choose } from './form'
import type { Device } from './phone'
import { inspect, type Screen } from './screens'
import { test } from './story'
import { type Language, say } from './words'

// No phone emulation: one page takes all three sizes.
const ANY_SIZE = { viewport: { width: 360, height: 740 }, hasTouch: true }

type Open = (options?: BrowserContextOptions) => Promise<Device>

export const press =
  (key: string): NonNullable<Screen['act']> =>
  (page, language) =>
    page.getByRole('button', { name: say(key, {}, language), exact: true }).first().click()

/** Signs in and looks, in both languages. */
export const look = (login: Login, folder: string, url: string, device: Open, screens: Screen[]): Promise<void> =>
  lookIn(['en', 'sw'], login, folder, url, device, screens)

/** At the door, on a phone of this language. */
export const lookAtDoor = (language: Language, url: string, device: Open, screens: Screen[]): Promise<void> =>
  lookIn([language], null, 'door', url, device, screens)

async function lookIn(languages: Language[], login: Login | null, folder: string, url: string, device: Open, screens: Screen[]): Promise<void> {
  const language = languages[0]!
  const person = await device({ ...ANY_SIZE, locale: language === 'sw' ? 'sw-KE' : 'en-KE' })
  const { page } = person
  if (login) {
    await person.signIn(login, language)
    await person.goto('/me')
    // Chosen, and so not the account's.
    await choose(page, /Language|Lugha/, 'English')
    await expect(page.getByRole('heading', { level: 1, name: say('me_title', {}, language) })).toBeVisible()
  }
  const found: string[] = []
  for (const screen of screens) {
    await test.step(screen.name, async () => void found.push(...(await inspect(page, url, folder, login ? screen : { ...screen, locked: true }, languages))))
  }
  expect(person.errors).toEqual([])
  expect(found).toEqual([])
}
