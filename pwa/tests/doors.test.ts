// A phone that is locked, wiped or removed delivers by the two doors; a saved copy does the same, also twice.
import { createHash } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import type { Command, Result } from '../src/api/records'
import { toCapture, type CaptureMeta } from '../src/captures/capture'
import { openPicture } from '../src/captures/locker'
import { base64url, fromBase64url } from '../src/bytes'
import { database, openSealed, useAccount } from '../src/db/account'
import { pref } from '../src/db/prefs'
import type { Item } from '../src/db/schema'
import { newId } from '../src/ids'
import { actAs } from '../src/sync/author'
import { command } from '../src/sync/command'
import { deliverCopy, saveCopy } from '../src/vault/copy'
import { deliverSealed } from '../src/vault/doors'
import { sealAs, sealTo } from '../src/vault/parcel'
import { enrol, type Opened } from '../src/vault/people'
import { sealMissing } from '../src/vault/reseal'
import { revoke } from '../src/vault/revoke'
import { vault } from '../src/vault/vaults'
import { describeDevice } from '../src/device'
import { findings, household, photo } from './phone'
import { newServerKey, openItem, openParcel, type ServerKey } from './sealing'

let server: ServerKey
let opened: Opened
/** What the server took, by id; pictures as they are after unsealing. */
let commands: Map<string, Command>
let pictures: Map<string, string>
let uploads: Map<string, { evidence: string; sealed: string; length: number; bytes: Uint8Array<ArrayBuffer>; proof: string | null }>
let down = false
let refuses: (command: Command) => string | null = () => null

beforeEach(async () => {
  server = await newServerKey()
  commands = new Map()
  pictures = new Map()
  uploads = new Map()
  down = false
  refuses = () => null
  globalThis.fetch = serve as typeof fetch
  const { id: device } = await describeDevice()
  opened = await enrol(newId(), 'Amina', '274951')
  await useAccount(opened.vault.id, opened.key)
  actAs({ member: 'member-1', device })
  sealAs({ org: 'org-1', member: 'member-1', device })
  sealTo(server.key)
})

/** The two doors, as the contract has them. */
async function serve(path: string, init: RequestInit): Promise<Response> {
  if (down) throw new TypeError('no line')
  const headers = init.headers as Record<string, string>
  const key = (await pref('deviceKey'))!.publicKey
  if (path === '/api/outbox') {
    const { items } = JSON.parse(init.body as string) as { items: Item[] }
    const results: Result[] = []
    for (const item of items) {
      const given = (await openItem(server, item, key)) as Command
      const code = refuses(given)
      if (commands.has(given.id)) results.push({ id: given.id, status: 'duplicate', first: { id: given.id, status: 'applied' } })
      else if (code) results.push({ id: given.id, status: 'rejected', code })
      else {
        commands.set(given.id, given)
        results.push({ id: given.id, status: 'applied' })
      }
    }
    return new Response(JSON.stringify({ results }))
  }
  if (path === '/api/uploads') {
    const said = Object.fromEntries(headers['Upload-Metadata']!.split(',').map((one) => one.split(' ')))
    const url = `/api/uploads/${newId()}`
    uploads.set(url, {
      evidence: atob(said.evidence!), sealed: atob(said.sealed!), length: Number(headers['Upload-Length']),
      bytes: new Uint8Array(0), proof: headers['Kilele-Device-Proof'] ?? null,
    })
    return new Response(null, { status: 201, headers: { Location: url, 'Upload-Offset': '0' } })
  }
  const upload = uploads.get(path)
  if (!upload) return new Response('{"code":"not_found"}', { status: 404 })
  if (init.method === 'PATCH') {
    const chunk = new Uint8Array(init.body as ArrayBuffer)
    const whole = new Uint8Array(upload.bytes.length + chunk.length)
    whole.set(upload.bytes)
    whole.set(chunk, upload.bytes.length)
    upload.bytes = whole
    if (whole.length === upload.length) await arrived(upload)
  }
  return new Response(null, { status: init.method === 'PATCH' ? 204 : 200, headers: { 'Upload-Offset': String(upload.bytes.length), 'Upload-Length': String(upload.length) } })
}

async function arrived({ evidence, sealed, bytes }: { evidence: string; sealed: string; bytes: Uint8Array<ArrayBuffer> }): Promise<void> {
  const [key, enc, secret] = sealed.split('.') as [string, string, string]
  expect(key).toBe(server.key.id)
  const { id: device } = await describeDevice()
  const raw = await openParcel(server, {
    v: 1, what: 'capture', key, org: 'org-1', member: 'member-1', device, id: evidence, enc, sealed: secret, sha256: '', bytes: 0,
  })
  const plain = await openPicture(bytes.buffer, base64url(raw))
  pictures.set(evidence, createHash('sha256').update(Buffer.from(plain)).digest('hex'))
}

async function work(): Promise<{ visit: string; photos: CaptureMeta[] }> {
  const home = household()
  await command('household.register', { household: home, evidence: [] })
  const visit = newId()
  const photos = [await photo(visit, visit, 'front', 90_000), await photo(visit, visit, 'back', 3_000)]
  await command('visit.submit', { id: visit, household: home.id, ...findings(), evidence: photos.map(toCapture), signature: null })
  return { visit, photos }
}
const hashes = (photos: CaptureMeta[]) => new Map(photos.map(({ id, sha256 }) => [id, sha256]))
const sorted = (map: Map<string, string>) => [...map].sort()

test('a locked phone delivers everything, in order, and keeps the bytes for the receipt', async () => {
  const { photos } = await work()
  const given = (await database().getAll('outbox')).map(({ command }) => command)
  await useAccount(null)
  expect(await deliverSealed(opened.vault.id)).toEqual({ sent: 4, left: 0 })
  expect([...commands.values()]).toEqual(given)
  expect(sorted(pictures)).toEqual(sorted(hashes(photos)))
  for (const { proof } of uploads.values()) expect(proof).toMatch(/^[\w-]+\.\d+\.[\w-]+$/)
  // Nothing is sent again, and the person finds their work as it was.
  expect(await deliverSealed(opened.vault.id)).toEqual({ sent: 0, left: 0 })
  await useAccount(opened.vault.id, opened.key)
  expect(await database().count('outbox')).toBe(2)
  expect(await database().count('blobs')).toBe(2)
  expect(await database().get('captures', photos[0]!.id)).toMatchObject({ state: 'uploading', offset: 90_016 })
})

test('without a line nothing is lost, and what the server refuses holds back nothing else', async () => {
  await work()
  await useAccount(null)
  down = true
  await expect(deliverSealed(opened.vault.id)).rejects.toMatchObject({ code: 'offline' })
  down = false
  refuses = ({ kind }) => (kind === 'household.register' ? 'device_revoked' : null)
  expect((await deliverSealed(opened.vault.id)).left).toBe(0)
  expect([...commands.values()].map(({ kind }) => kind)).toEqual(['visit.submit'])
  const db = await openSealed(opened.vault.id)
  expect(await db.getAll('items')).toMatchObject([{ refused: 'device_revoked' }])
  db.close()
})

test('a removed phone hands over first, then nothing of the person is left on it', async () => {
  const { photos } = await work()
  await useAccount(null)
  await revoke(opened.vault.id)
  expect(commands.size).toBe(2)
  expect(sorted(pictures)).toEqual(sorted(hashes(photos)))
  expect(await vault(opened.vault.id)).toBeUndefined()
})

test('a removed phone without a line keeps only what is sealed, and forgets the person once that has arrived', async () => {
  const { photos } = await work()
  await useAccount(null)
  down = true
  await revoke(opened.vault.id)
  expect(await vault(opened.vault.id)).toMatchObject({ revoked: true, pin: null, pepper: null })
  down = false
  expect((await deliverSealed(opened.vault.id)).left).toBe(0)
  expect(commands.size).toBe(2)
  expect(sorted(pictures)).toEqual(sorted(hashes(photos)))
  const db = await openSealed(opened.vault.id)
  for (const store of ['items', 'parcels', 'blobs', 'records']) expect(await db.count(store), store).toBe(0)
  db.close()
})

test('a saved copy delivers the same from another phone, and twice is harmless', async () => {
  const { photos } = await work()
  const copy = (await saveCopy())!
  expect(copy).toMatchObject({ items: 4, unsealed: 0 })
  expect(copy.name).toMatch(/^kilele-outbox-\d{8}-[\w-]{4}\.kilele$/)
  const lines = (await copy.file.text()).trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines[0]).toMatchObject({ kilele_outbox: 1, org: 'org-1', member: 'member-1', items: 2, captures: 2 })
  expect(lines.slice(1).map(({ what }) => what)).toEqual(['command', 'command', 'capture', 'capture'])
  const [submit] = lines.filter(({ what }) => what === 'command').slice(1)
  expect(lines.slice(3).every(({ announce }) => announce === submit!.id)).toBe(true)
  expect(fromBase64url(lines[3]!.data as string)).toHaveLength((lines[3]!.bytes as number) + 16)
  // Nobody can read it on the way.
  expect(await copy.file.text()).not.toContain('Mama Achieng')

  const other = await enrol(newId(), 'Juma', '908172')
  await useAccount(other.vault.id, other.key)
  expect(await deliverCopy(copy.file)).toEqual({ commands: 2, photos: 2, refused: 0, failed: 0 })
  expect(await deliverCopy(copy.file)).toEqual({ commands: 2, photos: 2, refused: 0, failed: 0 })
  expect(commands.size).toBe(2)
  expect(sorted(pictures)).toEqual(sorted(hashes(photos)))
})

test('a file that is no copy is refused before anything is sent', async () => {
  await expect(deliverCopy(new Blob(['{"hello":1}\n']))).rejects.toMatchObject({ code: 'not_a_copy' })
  await expect(deliverCopy(new Blob(['{"kilele_outbox":1}\nbroken']))).rejects.toMatchObject({ code: 'not_a_copy' })
  expect(commands.size).toBe(0)
})

test('what was kept before the server’s key was known is sealed when it is', async () => {
  sealTo(null)
  const { photos } = await work()
  expect(await database().count('items')).toBe(0)
  expect(await saveCopy()).toMatchObject({ items: 0, unsealed: 4 })
  sealTo(server.key)
  await sealMissing(database())
  await useAccount(null)
  expect(await deliverSealed(opened.vault.id)).toEqual({ sent: 4, left: 0 })
  expect(commands.size).toBe(2)
  expect(sorted(pictures)).toEqual(sorted(hashes(photos)))
})
