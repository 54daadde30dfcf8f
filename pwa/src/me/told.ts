// What people are told of, in groups; and what a group comes to in one line.
import type { Channel, KindWords, ToldGroup } from '../api/told'
import { m } from '../paraglide/messages.js'
import { ways } from './ways'

const titles: Record<ToldGroup, () => string> = {
  visits: m.told_group_visits,
  households: m.told_group_households,
  grants: m.told_group_grants,
  own: m.told_group_own,
  team: m.told_group_team,
  running: m.told_group_running,
}

/** In this order; what somebody never hears of is not there. */
export function grouped(words: KindWords[]): { key: ToldGroup; title: () => string; words: KindWords[] }[] {
  return (Object.keys(titles) as ToldGroup[])
    .map((key) => ({ key, title: titles[key], words: words.filter((one) => one.group === key) }))
    .filter((group) => group.words.length)
}

const same = (one: readonly string[], other: readonly string[]) =>
  one.length === other.length && one.every((channel) => other.includes(channel))

/** Kinds for which something else was chosen than there is by itself. */
export const changedOf = (words: KindWords[], kinds: Record<string, string[]>): KindWords[] =>
  words.filter((one) => !same(kinds[one.kind] ?? one.by, one.by))

/** Ways that all of them take, and those that only some take. */
export function taken(words: KindWords[], kinds: Record<string, string[]>, channels: Channel[]): { all: Channel[]; some: Channel[] } {
  const count = (channel: Channel) => words.filter((one) => (kinds[one.kind] ?? one.by).includes(channel)).length
  return {
    all: channels.filter((channel) => count(channel) === words.length),
    some: channels.filter((channel) => count(channel) > 0 && count(channel) < words.length),
  }
}

/** "On the phone, 2 changed". */
export function summary(words: KindWords[], kinds: Record<string, string[]>, channels: Channel[]): string {
  const { all, some } = taken(words, kinds, channels)
  const changed = changedOf(words, kinds).length
  const usual = all.length ? all.map((channel) => ways[channel]()).join(', ') : some.length ? m.told_mixed() : m.told_inbox_only()
  return [usual, changed ? m.told_changed({ count: changed }) : ''].filter(Boolean).join(' · ')
}
