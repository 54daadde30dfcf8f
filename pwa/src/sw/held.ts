// The open person's key, in the worker's memory only: forgotten with the worker, at locking, and five minutes after the last sign of life.
import { utf8 } from '../bytes'
import { AWAY, type Held, type ToWorker } from '../vault/held'

declare const self: ServiceWorkerGlobalScope

export interface PictureKeys {
  vault: string
  seal: CryptoKey
  name: CryptoKey
}

let held: Held | null = null
let made: { key: Held; keys: Promise<PictureKeys> } | null = null

export async function hear(message: ToWorker, reply: MessagePort | undefined, from: string): Promise<void> {
  if (message.type === 'hold') held = message.held
  else if (message.type === 'drop') drop()
  else if (message.type === 'held?') reply?.postMessage(current() ?? (await fromPages(from)))
}

/** A worker that was started anew knows nothing; another page of the same person still does. */
async function fromPages(asker: string): Promise<Held | null> {
  const pages = (await self.clients.matchAll({ type: 'window' })).filter(({ id }) => id !== asker)
  const answers = pages.map((page) =>
    ask<Held>(page.id, 'held?').then((answer) => answer ?? Promise.reject(new Error('locked'))))
  held = await Promise.any(answers).catch(() => null)
  return current()
}

/** Whether a page answers in which somebody is at work: it sends what they made by itself. */
export async function someoneIsIn(): Promise<boolean> {
  const pages = await self.clients.matchAll({ type: 'window', includeUncontrolled: true })
  const answers = await Promise.all(pages.map(({ id }) => ask<Held>(id, 'held?')))
  return answers.some((answer) => answer !== null)
}

function drop(): void {
  held?.key.fill(0)
  held = made = null
}

function current(): Held | null {
  if (held && Math.abs(Date.now() - held.at) >= AWAY) drop()
  return held
}

/** For the page that wants a picture: a worker that was started anew asks it for the key. */
export async function pictureKeys(client: string): Promise<PictureKeys | null> {
  if (!current()) held = await ask(client, 'held?')
  const now = current()
  if (!now) return null
  if (made?.key.vault !== now.vault) made = { key: now, keys: derive(now) }
  return made.keys
}

/** Null when nobody answers: pages of another version, or one that is closing. */
export async function ask<T>(client: string, type: 'held?' | 'renew'): Promise<T | null> {
  const page = await self.clients.get(client)
  if (!page) return null
  const { port1, port2 } = new MessageChannel()
  return new Promise((done) => {
    port1.onmessage = ({ data }: MessageEvent<T>) => done(data)
    setTimeout(() => done(null), type === 'renew' ? 15_000 : 1_000)
    page.postMessage({ type }, [port2])
  })
}

/** The same derivation as the page's `Sealer.media`, then one key for bytes and one for names. */
async function derive({ vault, key }: Held): Promise<PictureKeys> {
  const data = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  const base = await crypto.subtle.sign('HMAC', data, utf8('kilele pictures 1'))
  const from = await crypto.subtle.importKey('raw', base, 'HKDF', false, ['deriveKey'])
  const hkdf = (info: string) => ({ name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(0), info: utf8(info) })
  const [seal, name] = await Promise.all([
    crypto.subtle.deriveKey(hkdf('bytes'), from, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']),
    crypto.subtle.deriveKey(hkdf('names'), from, { name: 'HMAC', hash: 'SHA-256', length: 256 }, false, ['sign']),
  ])
  return { vault, seal, name }
}
