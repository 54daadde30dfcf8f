// The language and the colours of the whole app: state that every text and page follows without a reload.
import type { Language } from '../api/records'
import { prefs, setPref, type Prefs } from '../db/prefs'
import { overwriteGetLocale } from '../paraglide/runtime.js'

export type Theme = Prefs['theme']

let language = $state<Language>('en')
let look = $state<Theme>('system')
let chosen = false

// Every message asks this at the moment it is shown, so a template that shows one depends on the state.
overwriteGetLocale(() => language)

export const locale = {
  get current(): Language {
    return language
  },
}

export const theme = {
  get current(): Theme {
    return look
  },
}

export async function setLanguage(to: Language): Promise<void> {
  show(to)
  chosen = true
  await setPref('language', to)
}

/** The account's language, unless this phone was told another. */
export async function adoptLanguage(to: Language): Promise<void> {
  if (!chosen) await setLanguage(to)
}

export async function setTheme(to: Theme): Promise<void> {
  dress(to)
  await setPref('theme', to)
}

export async function restoreChoices(): Promise<void> {
  const { language: kept, theme: worn } = await prefs('language', 'theme')
  chosen = kept !== undefined
  show(kept ?? (navigator.language.startsWith('sw') ? 'sw' : 'en'))
  dress(worn ?? 'system')
}

function show(to: Language): void {
  language = to
  document.documentElement.lang = to
}

function dress(to: Theme): void {
  look = to
  if (to === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = to
}
