// Seals what must arrive to the server's public key: commands, and the keys of pictures. docs/phone-storage.md has the format.
import type { Command, Id, Lost, SealedNames } from '../api/records'
import { base64url, fromBase64url, sha256, utf8 } from '../bytes'
import type { CaptureMeta, Item, OutboxKey, Parcel, WaitingItem } from '../db/schema'
import { signByDevice } from '../device'
import { newId } from '../ids'
import { seal } from './hpke'

export interface Sender {
  org: Id
  member: Id
  device: Id
}

let sender: Sender | null = null
let server: OutboxKey | null = null

/** In whose name things are sealed, and to which of the server's keys; nothing is sealed while either is unknown. */
export function sealAs(who: Sender | null): void {
  sender = who
  if (!who) server = null
}
export function sealTo(key: OutboxKey | null): void {
  server = key
}
export const sealsTo = (): OutboxKey | null => server

const able = () => sender && server && globalThis.crypto?.subtle

/** Null while the server's key is not known: the command is then sealed as soon as it is. */
export async function sealCommand(command: Command): Promise<WaitingItem | null> {
  if (!able()) return null
  const text = JSON.stringify(command)
  const { org, member, device } = sender!
  const proof = await signByDevice(`kilele-outbox|${org}|${member}|${device}|${await sha256(utf8(text))}`)
  if (!proof) return null
  const item = await sealed('command', command.id, 'kilele-outbox-1', utf8(JSON.stringify({ command: text, proof })))
  return { ...item, what: 'command', at: command.at }
}

export async function sealPicture(photo: Pick<CaptureMeta, 'id' | 'sha256' | 'bytes' | 'secret'>): Promise<Parcel | null> {
  if (!able() || !photo.secret) return null
  const item = await sealed('capture', photo.id, 'kilele-capture-1', fromBase64url(photo.secret))
  return { ...item, what: 'capture', sha256: photo.sha256, bytes: photo.bytes }
}

/** So that a loss can be named by the server, when nobody here knows any more what it was. */
export async function sealNames(names: Lost['items']): Promise<SealedNames | null> {
  if (!able()) return null
  const { key, device, id, enc, sealed: text } = await sealed('names', newId(), 'kilele-names-1', utf8(JSON.stringify(names)))
  return { key, device, id, enc, sealed: text }
}

async function sealed(what: string, id: Id, info: string, plain: Uint8Array<ArrayBuffer>): Promise<Omit<Item, 'what'>> {
  const { org, member, device } = sender!
  const { id: key, public: to } = server!
  const aad = utf8(['1', what, org, member, device, id].join('|'))
  const { enc, sealed } = await seal(fromBase64url(to), utf8(info), aad, plain)
  return { v: 1, key, org, member, device, id, enc: base64url(enc), sealed: base64url(sealed) }
}

/** As tus announces a sealed picture. */
export const parcelTag = ({ key, enc, sealed }: Parcel): string => btoa(`${key}.${enc}.${sealed}`)
