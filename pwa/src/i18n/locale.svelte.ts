// The language and the colours of the whole app: state that every text and page follows without a reload, in each window.
import type { Language } from '../api/records'
import { prefs, setPref, type Prefs } from '../db/prefs'
import { overwriteGetLocale } from '../paraglide/runtime.js'

export type Theme = Prefs['theme']
export type Choices = Partial<Pick<Prefs, 'language' | 'theme'>>

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

/** The account's language, unless this phone was told another. */
export async function adoptLanguage(to: Language): Promise<void> {
  if (chosen) return
  wear({ language: to })
  await setPref('language', to)
}

export async function restoreChoices(): Promise<void> {
  const kept = await prefs('language', 'theme')
  wear({ language: navigator.language.startsWith('sw') ? 'sw' : 'en', theme: 'system' })
  chosen = false
  wear(kept)
}

/** As somebody chose, or was chosen for them. */
export function wear({ language: to, theme: worn }: Choices): void {
  if (to) {
    chosen = true
    document.documentElement.lang = language = to
  }
  if (!worn) return
  look = worn
  if (worn === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = worn
}
