// The catalogue's own words, so that a story asks for what the screen says and not for what it said last week.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { REPOSITORY } from './paths'

export type Language = 'en' | 'sw'
type Plural = { match: Record<string, string> }
type Values = Record<string, string | number>

const catalogue = (language: Language): Record<string, string | Plural[]> =>
  JSON.parse(readFileSync(join(REPOSITORY, `pwa/messages/${language}.json`), 'utf8'))
const words = { en: catalogue('en'), sw: catalogue('sw') }

/** A message, with its placeholders filled; `count` chooses between one and other. */
export function say(key: string, values: Values = {}, language: Language = 'en'): string {
  const found = words[language][key]
  if (found === undefined) throw new Error(`no message ${key} in ${language}`)
  const text = typeof found === 'string' ? found : chosen(found, values)
  return text.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? `{${name}}`))
}

/** The start of a message, up to its first placeholder: for what a story cannot know. */
export const begins = (key: string): RegExp => new RegExp(`^${escape(say(key).split('{')[0] ?? '')}`)

const escape = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')

function chosen(variants: Plural[], { count }: Values): string {
  const match = variants[0]!.match
  return match[count === 1 ? 'plural=one' : 'plural=other'] ?? Object.values(match)[0]!
}
