// Narrows the queue to a mentor, a village, or words.
import { plainText } from '../db/schema'
import type { QueueItem } from '../queries/visits'

export interface Filters {
  text: string
  mentor: string
  place: string
}

export function narrow(
  items: QueueItem[],
  { text, mentor, place }: Filters,
  village: (id: string) => string,
): QueueItem[] {
  const words = plainText(text).split(/\s+/).filter(Boolean)
  return items.filter(({ visit, household, mentor: by }) => {
    if ((mentor && visit.mentor !== mentor) || (place && visit.place !== place)) return false
    const said = plainText(
      [household?.head_name, household?.number, visit.number, by?.name, village(visit.place)].join(' '),
    )
    return words.every((word) => said.includes(word))
  })
}

/** Each value that occurs, by name, with how often. */
export function counted(items: QueueItem[], key: (item: QueueItem) => string, name: (item: QueueItem) => string) {
  const found = new Map<string, { value: string; name: string; count: number }>()
  for (const item of items) {
    const entry = found.get(key(item)) ?? { value: key(item), name: name(item), count: 0 }
    entry.count++
    found.set(entry.value, entry)
  }
  return [...found.values()]
    .sort((a, b) => a.name.localeCompare(b.name))
    .map(({ value, name: label, count }) => ({ value, label: `${label} (${count})` }))
}
