// What the phone told its owner: "Saved on this phone". Later the server is asked for each line, once and whole.
import type { Api, Evidence } from '../harness/api'

export interface Photo {
  slot: string
  sha256: string
}

/** `asked` when the save was touched, `saved` when the screen said so, `excused` when the phone said it lost it. */
type State = 'asked' | 'saved' | 'excused'

export interface Line {
  kind: 'household' | 'visit'
  /** The record's id, as the screen's address shows it. */
  id: string
  /** What nobody else is called and no other visit says. */
  mark: string
  state: State
  /** The server was seen to have it. */
  arrived: boolean
  photos: Photo[]
  signed: boolean
}

export interface Note {
  saved: string | null
  arrived: boolean
  /** Typed, and nobody knows whether it was saved. */
  maybe: string[]
}

interface Home {
  id: string
  head_name: string
  notes: string | null
}
interface Visit {
  id: string
  observations: string
  state: string
  round: number
}
interface Signature {
  subject: string
  superseded_by: string | null
}

export class Ledger {
  readonly lines: Line[] = []
  /** Notes on households that were there before. */
  readonly notes = new Map<string, Note>()

  begin(kind: Line['kind'], id: string, mark: string): Line {
    const line: Line = { kind, id, mark, state: 'asked', arrived: false, photos: [], signed: kind === 'visit' }
    this.lines.push(line)
    return line
  }

  /** The phone said that it lost what it held: what had not arrived is no longer promised. */
  excuse(): void {
    for (const line of this.lines) if (line.state === 'saved' && !line.arrived) line.state = 'excused'
    for (const note of this.notes.values()) {
      if (note.arrived || note.saved === null) continue
      note.maybe.push(note.saved)
      note.saved = null
    }
  }

  get saved(): number {
    return this.lines.filter(({ state }) => state === 'saved').length
  }

  /** Asks the server for everything that was ever touched here; answers what is wrong, in words. */
  async compare(api: Api): Promise<string[]> {
    const records = await api.records()
    const all = <T>(kind: string) => records.filter((one) => one.kind === kind).map((one) => one.body as T)
    const there = {
      homes: grouped(all<Home>('household'), (one) => one.head_name),
      byId: new Map(all<Home>('household').map((one) => [one.id, one])),
      visits: grouped(all<Visit>('visit'), (one) => one.observations),
      evidence: grouped(all<Evidence>('evidence'), (one) => one.subject),
      signatures: grouped(all<Signature>('signature'), (one) => one.subject),
    }
    const wrong: string[] = []
    for (const line of this.lines) {
      const found = (line.kind === 'household' ? there.homes : there.visits).get(line.mark) ?? []
      const name = `${line.kind} ${line.id} (${line.mark})`
      if (found.length > 1) wrong.push(`doubled: ${name} is there ${found.length} times`)
      if (found.length === 0) {
        if (line.state === 'saved') wrong.push(`lost: ${name}`)
        continue
      }
      if (!found.some(({ id }) => id === line.id)) wrong.push(`changed: ${name} arrived as ${found[0]!.id}`)
      if (line.kind === 'visit') {
        const visit = found[0] as Visit
        if (visit.round !== 1 || visit.state !== 'submitted') wrong.push(`doubled: ${name} is ${visit.state} in round ${visit.round}`)
        const signatures = there.signatures.get(line.id) ?? []
        if (signatures.length !== 1) wrong.push(`${signatures.length ? 'doubled' : 'lost'}: signature of ${name} is there ${signatures.length} times`)
      }
      if (line.state === 'saved') wrong.push(...photos(line, name, there.evidence.get(line.id) ?? []))
    }
    for (const [id, { saved, maybe }] of this.notes) {
      const notes = there.byId.get(id)?.notes ?? null
      if (saved !== null && notes !== saved && !maybe.includes(notes ?? '')) wrong.push(`lost: the note "${saved}" on household ${id}; it says "${notes}"`)
    }
    if (wrong.length === 0) {
      for (const line of this.lines) line.arrived = line.state === 'saved'
      for (const note of this.notes.values()) note.arrived = true
    }
    return wrong
  }
}

function photos(line: Line, name: string, evidence: Evidence[]): string[] {
  const wrong: string[] = []
  const standing = evidence.filter((one) => !one.superseded_by)
  for (const { slot, sha256 } of line.photos) {
    const found = standing.filter((one) => one.slot === slot)
    if (found.length !== 1) wrong.push(`${found.length ? 'doubled' : 'lost'}: photo ${slot} of ${name} is there ${found.length} times`)
    else if (found[0]!.sha256 !== sha256) wrong.push(`changed: photo ${slot} of ${name} has another hash`)
    else if (found[0]!.state !== 'ready') wrong.push(`lost: the bytes of photo ${slot} of ${name} (${found[0]!.state})`)
  }
  if (standing.length > line.photos.length) wrong.push(`doubled: ${name} has ${standing.length} photos instead of ${line.photos.length}`)
  return wrong
}

function grouped<T>(items: T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>()
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item])
  return groups
}
