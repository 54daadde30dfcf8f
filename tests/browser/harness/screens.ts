// Looks at a screen as people will have it: three sizes, light and dark, two languages; reads it as axe does; and
// finds what sticks out at the side.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, type Page } from '@playwright/test'
import { axe } from './axe'
import { RESULTS } from './paths'
import { unlock } from './phone'
import type { Language } from './words'

type Scheme = 'light' | 'dark'

export interface Screen {
  name: string
  path: string
  /** The door itself is looked at: no PIN is given. */
  locked?: boolean
  /** What is done before it is looked at: a dialog opened, a tab chosen. */
  act?: (page: Page, language: Language) => Promise<void>
}

const SIZES = [
  { name: 'phone', width: 360, height: 740 },
  { name: 'tablet', width: 820, height: 1180 },
  { name: 'desktop', width: 1280, height: 800 },
]
const SMALLEST = { width: 320, height: 640 }

/**
 * `KILELE_SCREENS=all` looks at each screen in all twelve ways (`make soak SUITES=screens`). Else in half of them, in which
 * every two that can meet do: each size in light and in dark and in both languages, both languages in light and in dark.
 * axe reads everything once in light, and the contrast once more in dark: no other rule knows of colours.
 *
 * Pictures are for people: they are taken with `KILELE_SCREENS=all` or `=pictures`, and cost half of the time.
 */
const ALL = process.env.KILELE_SCREENS === 'all'
const PICTURES = ALL || process.env.KILELE_SCREENS === 'pictures'
const SCHEMES: Record<Language, Record<string, Scheme>> = {
  en: { phone: 'light', tablet: 'dark', desktop: 'light' },
  sw: { phone: 'dark', tablet: 'light', desktop: 'dark' },
}
const schemes = (language: Language, size: string): Scheme[] => (ALL ? ['light', 'dark'] : [SCHEMES[language][size]!])
const read = (language: Language, size: string): boolean => language === 'en' && (ALL || size !== 'desktop')
const rules = (scheme: Scheme): string[] | null => (ALL || scheme === 'light' ? null : ['color-contrast'])

/**
 * Opens the screen in the first of these languages and says everything that is wrong with it, as sentences; in the others it
 * is looked at as it follows the choice in another window: what is open stays open.
 */
export async function inspect(page: Page, url: string, folder: string, screen: Screen, languages: Language[]): Promise<string[]> {
  const found: string[] = []
  await page.setViewportSize(SIZES[0]!)
  await come(page, url, screen)
  await ready(page)
  await screen.act?.(page, languages[0]!)
  await ready(page)
  for (const language of languages) {
    if (languages.length > 1) await chosen(page, language)
    found.push(...(await inspectIn(page, folder, screen.name, language)))
  }
  if (languages.length > 1) await chosen(page, languages[0]!)
  return found
}

/** The language was changed in another window of this browser. */
async function chosen(page: Page, language: Language): Promise<void> {
  await page.evaluate((language) => {
    const channel = new BroadcastChannel('kilele')
    channel.postMessage({ type: 'choices', language })
    channel.close()
  }, language)
  await page.waitForFunction((language) => document.documentElement.lang === language, language)
}

async function inspectIn(page: Page, folder: string, name: string, language: Language): Promise<string[]> {
  const found: string[] = []
  const where = `${folder}/${name} (${language})`
  const out = join(RESULTS, 'screens', folder)
  mkdirSync(out, { recursive: true })
  expect(await page.evaluate(() => document.documentElement.lang)).toBe(language)

  await page.setViewportSize(SMALLEST)
  found.push(...(await overflow(page)).map((what) => `${where} at 320 px: ${what}`))
  for (const size of SIZES) {
    await page.setViewportSize(size)
    await ready(page)
    found.push(...(await overflow(page)).map((what) => `${where} at ${size.width} px: ${what}`))
    for (const scheme of schemes(language, size.name)) {
      await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' })
      if (PICTURES) await page.screenshot({ path: join(out, `${name}-${size.name}-${scheme}-${language}.png`), fullPage: true })
      // The words change nothing that axe sees but their length.
      if (read(language, size.name)) {
        found.push(...(await axe(page, rules(scheme))).map((what) => `${where}, ${size.name}, ${scheme}: ${what}`))
      }
    }
  }
  return found
}

/** By a link within the app where that leads to another view, as people come; else (and with a query) by loading the page anew. */
async function come(page: Page, url: string, { path, locked }: Screen): Promise<void> {
  const before = page.url().startsWith(`${url}/`) ? page.locator('main h1').first() : null
  const heading = locked || /[?#]/.test(path) ? null : await before?.elementHandle({ timeout: 1000 }).catch(() => null)
  if (heading && new URL(page.url()).pathname !== new URL(url + path).pathname) {
    await page.evaluate((href) => {
      const link = Object.assign(document.createElement('a'), { href })
      document.body.append(link)
      link.click()
      link.remove()
    }, path)
    // A view that stays for the next address shows what it had: that one is loaded.
    if (await page.waitForFunction((old) => !old.isConnected, heading, { timeout: 500 }).catch(() => null)) return
  }
  // What differs only behind a # would not be loaded again.
  if (locked) await page.goto('about:blank')
  await page.goto(url + path)
  if (!locked) await unlock(page)
}

/** Nothing is loading any more, and every picture in sight is there. */
async function ready(page: Page): Promise<void> {
  await expect(page.getByRole('heading', { level: 1 }).first()).toBeAttached()
  await expect(page.locator('.skeleton')).toHaveCount(0)
  await page.waitForFunction(() =>
    [...document.images].every((image) => {
      const { top, bottom } = image.getBoundingClientRect()
      return image.complete || (image.loading === 'lazy' && (bottom < 0 || top > innerHeight))
    }),
  )
}

/** Nobody has to scroll sideways. */
function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth
    if (document.documentElement.scrollWidth <= width) return []
    const wide = [...document.body.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > width + 1)
    const names = wide.slice(-4).map((one) => `${one.tagName.toLowerCase()}.${[...one.classList].join('.')}`)
    return [`${document.documentElement.scrollWidth} px wide: ${names.join(', ')}`]
  })
}
