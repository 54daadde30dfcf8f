// Photos: resumed where they were cut, and let go only for a receipt that names exactly them.
import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import type { Receipt } from '../src/api/records'
import { toCapture, type CaptureMeta } from '../src/captures/capture'
import { database } from '../src/db/account'
import { newId } from '../src/ids'
import { acknowledged } from '../src/sync/answer'
import { command } from '../src/sync/command'
import { deliveryOf } from '../src/sync/delivery'
import { forgetPace, LARGEST } from '../src/sync/pace'
import { ModelServer } from './model-server'
import { runCycle } from '../src/sync/cycle'
import { DEVICE, findings, household, newPhone, photo, settle, turn } from './phone'

let server: ModelServer
beforeEach(async () => {
  server = new ModelServer()
  server.install()
  forgetPace()
  await newPhone()
})

/** A submitted visit with photos of these sizes. */
async function visit(...sizes: number[]): Promise<{ id: string; photos: CaptureMeta[] }> {
  const home = household()
  await command('household.register', { household: home, evidence: [] })
  const id = newId()
  const photos: CaptureMeta[] = []
  for (const [i, size] of sizes.entries()) photos.push(await photo(id, id, `slot-${i}`, size))
  await command('visit.submit', { id, household: home.id, ...findings(), evidence: photos.map(toCapture), signature: null })
  return { id, photos }
}

test('records go first, then photos by size, and the bytes leave with the receipt', async () => {
  const { id, photos } = await visit(90_000, 5_000)
  await settle()
  expect([...server.received.keys()]).toEqual([photos[1]!.id, photos[0]!.id])
  expect(await database().count('blobs')).toBe(0)
  expect(await deliveryOf(id)).toMatchObject({ record: 'received', captures: [{ state: 'received' }, { state: 'received' }] })
})

test('a version that is too old still delivers all that it has, in one turn, and then says so', async () => {
  const { id, photos } = await visit(90_000, 5_000)
  // More than one answer takes.
  for (let i = 0; i < 60; i++) await command('household.register', { household: household(), evidence: [] })
  server.newerApps = true
  await expect(runCycle(database(), DEVICE)).rejects.toMatchObject({ code: 'app_too_old' })
  expect(await database().count('outbox')).toBe(0)
  expect([...server.received.keys()].sort()).toEqual(photos.map((photo) => photo.id).sort())
  expect(await database().count('blobs')).toBe(0)
  expect(await deliveryOf(id)).toMatchObject({ record: 'received', captures: [{ state: 'received' }, { state: 'received' }] })
})

test('a cut at any byte sends at most one chunk again', async () => {
  const size = 2_600_000
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 0, max: size - 1 }), async (cut) => {
      server = new ModelServer()
      server.install()
      server.keepsParts = false
      await newPhone()
      const { photos } = await visit(size)
      server.cutAt = cut
      expect(await turn()).toBe(false)
      await settle()
      await turn()
      expect(server.received.get(photos[0]!.id)).toMatchObject({ bytes: size, sha256: photos[0]!.sha256 })
      expect(server.wire - size).toBeLessThanOrEqual(LARGEST)
      expect(await database().count('blobs')).toBe(0)
    }),
    { numRuns: 25 },
  )
}, 60_000)

test('what arrived of a cut chunk is not sent again', async () => {
  const { photos } = await visit(300_000)
  for (const cut of [10, 5_000, 70_000, 200_000]) {
    server.cutAt = cut
    expect(await turn()).toBe(false)
  }
  await settle()
  expect(server.received.get(photos[0]!.id)).toMatchObject({ bytes: 300_000 })
  expect(server.wire).toBe(300_000)
})

test('an upload that the server forgot begins anew', async () => {
  await visit(200_000)
  server.cutAt = 10_000
  await turn()
  server.uploads.clear()
  await settle()
  expect(server.received.size).toBe(1)
})

test('damaged on the way: tried once more, then shown to the person; the bytes stay', async () => {
  const { photos } = await visit(3_000)
  const flip = (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte)))
  server.damage = flip
  await settle()
  expect(server.received.size).toBe(1)

  const other = await visit(3_000)
  // Damaged again and again.
  Object.defineProperty(server, 'damage', { get: () => flip, set: () => undefined })
  await turn()
  await turn()
  expect(await database().get('captures', other.photos[0]!.id)).toMatchObject({ error: 'checksum_mismatch' })
  expect(await database().get('blobs', other.photos[0]!.id)).toBeDefined()
  expect(await database().get('blobs', photos[0]!.id)).toBeUndefined()
})

test('one photo that always fails holds up no other and no record', async () => {
  const { photos } = await visit(1_000, 2_000, 3_000)
  const plainFetch = globalThis.fetch
  globalThis.fetch = (async (path: string, init: RequestInit) => {
    const metadata = (init.headers as Record<string, string>)['Upload-Metadata'] ?? ''
    if (metadata.includes(btoa(photos[0]!.id))) return new Response('{"code":"internal"}', { status: 500 })
    return plainFetch(path, init)
  }) as typeof fetch
  const home = household()
  await command('household.register', { household: home, evidence: [] })
  await turn()
  expect(server.received.size).toBe(2)
  expect(server.find('household', home.id)).not.toBeNull()
  expect(await database().getAllKeys('blobs')).toEqual([photos[0]!.id])
})

test('only a receipt with the same id, hash and length frees a photo', async () => {
  const wrong: ((receipt: Receipt) => Receipt)[] = [
    (receipt) => ({ ...receipt, sha256: receipt.sha256.replace(/^./, (c) => (c === '0' ? '1' : '0')) }),
    (receipt) => ({ ...receipt, bytes: receipt.bytes + 1 }),
  ]
  for (const forge of wrong) {
    const { photos } = await visit(2_000)
    server.forge = forge
    await turn()
    await turn()
    expect(await database().get('blobs', photos[0]!.id)).toBeDefined()
    server.forge = null
    await settle()
    await turn()
    expect(await database().get('blobs', photos[0]!.id)).toBeUndefined()
  }
})

test('any receipt but the exact one keeps the photo', () => {
  const text = fc.constantFrom('a', 'b', 'A')
  fc.assert(
    fc.property(text, text, fc.nat(3), text, text, fc.nat(3), (id, sha256, bytes, otherId, otherSha, otherBytes) => {
      const capture = { id, sha256, bytes, state: 'uploading' } as CaptureMeta
      const after = acknowledged(capture, { id: otherId, sha256: otherSha, bytes: otherBytes, stored_at: 1 })
      const exact = id === otherId && sha256 === otherSha && bytes === otherBytes
      expect(after.state === 'acknowledged').toBe(exact)
    }),
  )
})

test('a photo that no accepted command announces is not sent', async () => {
  const id = newId()
  const lone = await photo(id, id, 'front')
  await command('visit.submit', { id, household: newId(), ...findings(), evidence: [toCapture(lone)], signature: null })
  await turn()
  await turn()
  expect(server.wire).toBe(0)
  expect(await database().get('blobs', lone.id)).toBeDefined()
  expect(await deliveryOf(id)).toMatchObject({ record: 'attention' })
})
