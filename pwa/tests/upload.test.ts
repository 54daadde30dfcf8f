// The upload client on links of every kind: chunks that fit the speed, one or two at once, and every answer honoured.
import fc from 'fast-check'
import { beforeEach, expect, test, vi } from 'vitest'
import { toCapture, type CaptureMeta } from '../src/captures/capture'
import { database } from '../src/db/account'
import { setPref } from '../src/db/prefs'
import { newId } from '../src/ids'
import { runCycle } from '../src/sync/cycle'
import { command } from '../src/sync/command'
import { chunkSize, FIRST, forgetPace, LARGEST, SMALLEST } from '../src/sync/pace'
import { ModelServer } from './model-server'
import { DEVICE, findings, household, newPhone, photo, settle, turn } from './phone'

interface Asked {
  method: string
  path: string
  size: number
  headers: Record<string, string>
}

let server: ModelServer
let asked: Asked[]
let clock = 0
let atOnce = 0
let mostAtOnce = 0
vi.spyOn(performance, 'now').mockImplementation(() => clock)

/** Puts a link between phone and server: so many bytes a second, and answers that somebody on the way gives. */
function link(bytesASecond: number, between: (asked: Asked, nth: number) => Response | null = () => null): void {
  server.install()
  const direct = globalThis.fetch
  globalThis.fetch = (async (path: string, init: RequestInit) => {
    const body = init.body instanceof ArrayBuffer ? init.body.byteLength : 0
    const one = { method: init.method ?? 'GET', path, size: body, headers: init.headers as Record<string, string> }
    if (!path.startsWith('/api/uploads')) return direct(path, init)
    asked.push(one)
    if (one.method !== 'PATCH') return between(one, count(one.method)) ?? direct(path, init)
    mostAtOnce = Math.max(mostAtOnce, ++atOnce)
    try {
      // Long enough on the way for another lane to come beside it.
      for (let i = 0; i < 30; i++) await new Promise((done) => setImmediate(done))
      clock += (body / bytesASecond) * 1000
      return between(one, count('PATCH')) ?? (await direct(path, init))
    } finally {
      atOnce--
    }
  }) as typeof fetch
}
const count = (method: string) => asked.filter((one) => one.method === method).length
const chunks = () => asked.filter(({ method }) => method === 'PATCH').map(({ size }) => size)
const answer = (status: number, code?: string, headers: Record<string, string> = {}) =>
  new Response(code ? JSON.stringify({ code, message: code }) : '<html>', { status, headers })

beforeEach(async () => {
  server = new ModelServer()
  asked = []
  mostAtOnce = 0
  forgetPace()
  await setPref('linkSpeeds', {})
  await newPhone()
})

async function visit(...sizes: number[]): Promise<CaptureMeta[]> {
  const home = household()
  await command('household.register', { household: home, evidence: [] })
  const id = newId()
  const photos: CaptureMeta[] = []
  for (const [i, size] of sizes.entries()) photos.push(await photo(id, id, `slot-${i}`, size))
  await command('visit.submit', { id, household: home.id, ...findings(), evidence: photos.map(toCapture), signature: null })
  return photos
}
const stored = async ({ id }: CaptureMeta) => (await database().get('captures', id))!

test('the creation request carries no data', async () => {
  link(50_000)
  const [one] = await visit(100_000)
  await settle()
  const made = asked.filter(({ method }) => method === 'POST')
  expect(made).toHaveLength(1)
  expect(made[0]).toMatchObject({ size: 0, headers: { 'Upload-Length': '100000', 'Tus-Resumable': '1.0.0' } })
  expect(made[0]!.headers['Content-Type']).toBeUndefined()
  expect(server.received.get(one!.id)).toMatchObject({ bytes: 100_000 })
})

test('chunks grow and shrink with the speed: about five seconds each, between 64 kB and 1 MB', async () => {
  for (const [speed, least, most] of [[4_000, SMALLEST, SMALLEST], [40_000, 180_000, 220_000], [2_000_000, LARGEST, LARGEST]] as const) {
    forgetPace()
    asked = []
    link(speed)
    await visit(4_000_000)
    await settle()
    expect(chunks()[0]).toBe(SMALLEST)
    // All but the first, and the last, which is what is left.
    for (const size of chunks().slice(1, -1)) {
      expect(size).toBeGreaterThanOrEqual(least)
      expect(size).toBeLessThanOrEqual(most)
    }
    await setPref('linkSpeeds', {})
  }
})

test('the speed is remembered for the next start, which begins with 256 kB at most', async () => {
  link(1_500_000)
  await visit(2_500_000)
  await settle()
  expect(chunkSize()).toBe(LARGEST)
  forgetPace()
  asked = []
  await visit(2_500_000)
  await settle()
  expect(chunks()[0]).toBe(FIRST)
  expect(chunks()[1]).toBe(LARGEST)
})

test('one photo at a time on a slow link, two at most on a fast one, smallest first on both', async () => {
  const sizes = [90_000, 400_000, 200_000, 700_000, 300_000, 100_000]
  for (const [speed, lanes] of [[10_000, 1], [3_000_000, 2]] as const) {
    server = new ModelServer()
    forgetPace()
    await setPref('linkSpeeds', {})
    mostAtOnce = 0
    asked = []
    link(speed)
    const photos = await visit(...sizes)
    await settle()
    expect(server.received.size).toBe(photos.length)
    expect(mostAtOnce).toBe(lanes)
    const begun = asked.filter(({ method }) => method === 'POST').map(({ headers }) => Number(headers['Upload-Length']))
    const smallestFirst = [...sizes].sort((a, b) => a - b)
    expect([...begun].sort((a, b) => a - b)).toEqual(smallestFirst)
    // Two that go at once may overtake each other on the way, and nothing else may.
    for (const [place, size] of begun.entries()) expect(Math.abs(smallestFirst.indexOf(size) - place)).toBeLessThan(lanes)
  }
})

test('twenty cuts anywhere in 3 MB: at most a tenth goes twice', async () => {
  const size = 3_000_000
  const worst = { share: 0, chunk: 0 }
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.integer({ min: 1, max: size - 1 }), { minLength: 20, maxLength: 20 }),
      fc.integer({ min: 0, max: 12_000 }),
      fc.constantFrom(4_000, 30_000, 400_000),
      async (cuts, lost, speed) => {
        server = new ModelServer()
        forgetPace()
        await setPref('linkSpeeds', {})
        asked = []
        link(speed)
        await newPhone()
        server.lostInFlight = lost
        const [one] = await visit(size)
        for (const cut of cuts.sort((a, b) => a - b)) {
          const before = server.wire
          const stood = [...server.uploads.values()][0]?.bytes.length ?? 0
          server.cutAt = cut
          await turn()
          const kept = [...server.uploads.values()][0]?.bytes.length ?? size
          // What crossed the wire in this attempt beyond what the server has now.
          worst.chunk = Math.max(worst.chunk, server.wire - before - (kept - stood))
        }
        await settle()
        await turn()
        expect(server.received.get(one!.id)).toMatchObject({ bytes: size, sha256: one!.sha256 })
        worst.share = Math.max(worst.share, server.wire / size)
        expect(server.wire).toBeLessThanOrEqual(size * 1.1)
      },
    ),
    { numRuns: 12 },
  )
  console.log(`20 cuts in 3 MB, up to 12 kB lost in flight at each: at most ${(worst.share * 100).toFixed(1)} % on the wire, ${worst.chunk} bytes again after one cut`)
  expect(worst.chunk).toBeLessThanOrEqual(LARGEST)
}, 120_000)

test('after a cut the next chunks are smaller', async () => {
  link(1_000_000)
  await visit(3_000_000)
  server.cutAt = 1_500_000
  expect(await turn()).toBe(false)
  const before = Math.max(...chunks())
  asked = []
  await settle()
  expect(asked[0]!.method).toBe('HEAD')
  expect(chunks()[0]).toBeLessThanOrEqual(before)
  expect(asked.some(({ method }) => method === 'POST')).toBe(false)
})

test('bytes that the server has already are acknowledged without being sent', async () => {
  const [one] = await visit(80_000)
  const { id, sha256, bytes } = one!
  link(50_000, ({ method }) => {
    if (method !== 'POST') return null
    server.received.set(id, { id, sha256, bytes, stored_at: 1 })
    return answer(201, undefined, { Location: '/api/uploads/known', 'Upload-Offset': String(bytes) })
  })
  await settle()
  await turn()
  expect(asked.map(({ method }) => method)).toEqual(['POST'])
  expect(await stored(one!)).toMatchObject({ state: 'acknowledged', offset: 80_000 })
})

test('409: it stands elsewhere, and goes on from there', async () => {
  link(50_000, ({ method }, nth) => (method === 'PATCH' && nth === 2 ? answer(409, 'offset_mismatch') : null))
  await visit(200_000)
  await settle()
  expect(asked.map(({ method }) => method).join(' ')).toMatch(/^POST PATCH PATCH HEAD PATCH/)
  expect(server.received.size).toBe(1)
  expect(count('POST')).toBe(1)
})

test.each([404, 410])('%i: the upload is gone or has expired, and begins again', async (status) => {
  link(50_000, ({ method }, nth) => {
    if (method !== 'PATCH' || nth !== 2) return null
    server.uploads.clear()
    return answer(status, 'upload_expired')
  })
  await visit(200_000)
  await settle()
  expect(count('POST')).toBe(2)
  expect(server.received.size).toBe(1)
})

test('an upload that had expired by the next day begins again', async () => {
  link(50_000, ({ method }) => (method === 'HEAD' ? answer(410) : null))
  await visit(200_000)
  server.cutAt = 100_000
  await turn()
  await settle()
  expect(count('POST')).toBe(2)
  expect(server.received.size).toBe(1)
})

test('an upload that never stays where it was ends for this cycle, not for ever', async () => {
  let stubborn = true
  link(50_000, ({ method }) => (stubborn && method === 'PATCH' ? answer(409, 'offset_mismatch') : null))
  const [one] = await visit(100_000)
  await turn()
  expect(chunks().length).toBeLessThanOrEqual(12)
  expect(await stored(one!)).toMatchObject({ state: 'queued', error: 'upload_moved' })
  stubborn = false
  await settle()
  expect(server.received.size).toBe(1)
})

test('413 of a proxy means smaller chunks; 413 of the server means no', async () => {
  link(1_000_000, ({ method, size }) => (method === 'PATCH' && size > 100_000 ? answer(413) : null))
  const [one] = await visit(1_000_000)
  await settle()
  expect(server.received.get(one!.id)).toMatchObject({ bytes: 1_000_000 })
  expect(chunks().filter((size) => size > 100_000).length).toBe(1)

  link(1_000_000, ({ method }) => (method === 'POST' ? answer(413, 'too_large') : null))
  const [other] = await visit(70_000)
  await turn()
  expect(await stored(other!)).toMatchObject({ state: 'failed', error: 'too_large' })
  expect(await database().get('blobs', other!.id)).toBeDefined()
})

test.each([429, 503])('%i: nothing more is asked until the server said so', async (status) => {
  link(50_000, ({ method }) => (method === 'PATCH' ? answer(status, 'overloaded', { 'Retry-After': '17' }) : null))
  const [one, other] = await visit(70_000, 90_000)
  await expect(runCycle(database(), DEVICE)).rejects.toMatchObject({ more: { status, retryAfter: 17 } })
  expect(count('PATCH')).toBe(1)
  for (const photo of [one!, other!]) expect((await stored(photo)).error).toBeNull()
})

test('500: the others go on, this one has another chance', async () => {
  const [one] = await visit(70_000, 90_000)
  let broken = true
  link(50_000, ({ method, headers }) =>
    broken && method === 'POST' && headers['Upload-Metadata']!.includes(btoa(one!.id)) ? answer(500, 'internal') : null)
  await turn()
  expect(server.received.size).toBe(1)
  broken = false
  await settle()
  expect(server.received.size).toBe(2)
})

test('after damage each chunk carries its hash, and only the damaged one goes again', async () => {
  link(20_000)
  const flip = (bytes: Buffer) => Buffer.from(bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte)))
  const [one] = await visit(400_000)
  server.damage = flip
  const plain = server.wire
  let again = true
  const before = server.uploads.delete.bind(server.uploads)
  // The second attempt is damaged once too, in its first chunk.
  server.uploads.delete = (path) => {
    if (again) server.damage = flip
    again = false
    return before(path)
  }
  await settle()
  expect(server.received.get(one!.id)).toMatchObject({ sha256: one!.sha256 })
  const hashed = asked.filter(({ headers }) => headers['Upload-Checksum'])
  expect(hashed.length).toBeGreaterThan(3)
  expect(asked.filter(({ method }) => method === 'PATCH')[0]!.headers['Upload-Checksum']).toBeUndefined()
  expect(server.wire - plain - 800_000).toBeLessThanOrEqual(Math.max(...chunks()))
})

test('an upload that is another file is left alone', async () => {
  link(50_000, ({ method }) =>
    method === 'HEAD' ? answer(200, undefined, { 'Upload-Offset': '10', 'Upload-Length': '11' }) : null)
  await visit(200_000)
  server.cutAt = 100_000
  await turn()
  await settle()
  expect(count('POST')).toBe(2)
  expect(server.received.size).toBe(1)
})
