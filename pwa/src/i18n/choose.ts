// Choosing language and colours: for this phone, and in every window that is open.
import type { Language } from '../api/records'
import { broadcast, hear } from '../db/changes'
import { setPref } from '../db/prefs'
import { wear, type Theme } from './locale.svelte'

hear((message) => message.type === 'choices' && wear(message))

export async function setLanguage(to: Language): Promise<void> {
  broadcast({ type: 'choices', language: to })
  await setPref('language', to)
}

export async function setTheme(to: Theme): Promise<void> {
  broadcast({ type: 'choices', theme: to })
  await setPref('theme', to)
}
