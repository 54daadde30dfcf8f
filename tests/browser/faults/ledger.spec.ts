// The comparison itself can fail: each way of breaking the promise is made on purpose, and named.
import { createHash } from 'node:crypto'
import { signIn, uuid7 } from '../harness/api'
import { expect, test } from '../harness/story'
import { Dice } from './dice'
import { Ledger, type Photo } from './ledger'

test('what is lost, doubled or changed is named', async ({ server }) => {
  const amina = await signIn(server.url, 'amina.mentor')
  const place = (await amina.households())[0]!.place
  const register = async (mark: string, photos: Photo[] = []) => {
    const id = uuid7()
    const evidence = photos.map(({ slot, sha256 }) => ({
      id: uuid7(), slot, mime: 'image/jpeg', bytes: 3, sha256, width: 1, height: 1, captured_at: Date.now(),
    }))
    await amina.command('household.register', { household: { id, place, head_name: mark, members: [] }, evidence })
    return id
  }
  const photo = (text: string): Photo => ({ slot: 'front', sha256: createHash('sha256').update(text).digest('hex') })
  const ledger = new Ledger()
  const say = (mark: string, id: string, photos: Photo[] = []) =>
    Object.assign(ledger.begin('household', id, mark), { state: 'saved', photos })

  say('Whole', await register('Whole'))
  expect(await ledger.compare(amina)).toEqual([])

  say('Lost', uuid7())
  await register('Twice')
  say('Twice', await register('Twice'))
  await register('Other')
  say('Other', uuid7())
  say('Bytes', await register('Bytes', [photo('one')]), [photo('one')])
  say('Hash', await register('Hash', [photo('two')]), [photo('three')])
  say('Photo', await register('Photo'), [photo('four')])
  say('More', await register('More', [photo('five')]))
  ledger.notes.set(await register('Note'), { saved: 'typed', arrived: false, maybe: ['half'] })
  ledger.begin('household', uuid7(), 'Only asked')
  const wrong = await ledger.compare(amina)
  expect(wrong.map((text) => text.replaceAll(/[\w-]{36}/g, '…'))).toEqual([
    'lost: household … (Lost)',
    'doubled: household … (Twice) is there 2 times',
    'changed: household … (Other) arrived as …',
    'lost: the bytes of photo front of household … (Bytes) (announced)',
    'changed: photo front of household … (Hash) has another hash',
    'lost: photo front of household … (Photo) is there 0 times',
    'doubled: household … (More) has 1 photos instead of 0',
    'lost: the note "typed" on household …; it says "null"',
  ])
  // What had not arrived when the phone lost it is not promised any more.
  ledger.excuse()
  expect((await ledger.compare(amina)).filter((text) => text.startsWith('lost'))).toEqual([])
})

test('the same seed throws the same numbers', () => {
  const thrown = (seed: string) => Array.from({ length: 50 }, ((dice) => () => dice.next())(new Dice(seed)))
  expect(thrown('7 1')).toEqual(thrown('7 1'))
  expect(thrown('7 1')).not.toEqual(thrown('7 2'))
  const dice = new Dice('weights')
  const kinds = Array.from({ length: 3000 }, () => dice.weighted({ often: 3, seldom: 1, never: 0 }))
  expect(kinds.filter((kind) => kind === 'often').length / 3000).toBeCloseTo(0.75, 1)
  expect(kinds).not.toContain('never')
})
