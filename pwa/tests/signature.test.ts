// The text that is signed is the same to the byte for every program that reads the contract.
import { expect, test } from 'vitest'
import { fromBase64url } from '../src/bytes'
import { canonical, isTrivial, sign, signatureText, strokesOf, type Stroke } from '../src/captures/signature'
import { describeDevice } from '../src/device'

const ink: Stroke[] = [Array.from({ length: 12 }, (_, i) => [i * 40, i * 20, i * 8, 128])]
const what = {
  subject_kind: 'visit' as const, subject: 'v', statement: { key: 'visit', version: 1, language: 'en' as const },
  text: 'I was visited.', signer_name: 'Mama Achieng', signer_role: 'beneficiary' as const, width: 320.4, height: 180, strokes: ink,
}

test('keys stand in the order of the contract', () => {
  const text = canonical({ ...what, id: 's', signed_at: 7 }, 'phone')
  expect(Object.keys(JSON.parse(text) as object)).toEqual([
    'v', 'id', 'subject_kind', 'subject', 'template', 'version', 'language', 'statement', 'signer_name', 'signer_role',
    'witness', 'signed_at', 'width', 'height', 'strokes', 'device',
  ])
  expect(text).toContain('"witness":null,"signed_at":7,"width":320,"height":180,"strokes":[[[0,0,0,128],[40,20,8,128]')
  expect(text).not.toMatch(/[:,] /)
})

test('where several households sign, the text says for which; else nothing is said of it', () => {
  const text = canonical({ ...what, id: 's', signed_at: 7, household: 'h' }, 'phone')
  expect(text).toContain('"signer_role":"beneficiary","household":"h","witness":null')
  expect(canonical({ ...what, id: 's', signed_at: 7, household: null }, 'phone')).not.toContain('household')
})

test('the phone’s key signs exactly that text', async () => {
  const { public_key } = await describeDevice()
  const signed = await sign(what)
  const key = await crypto.subtle.importKey('spki', fromBase64url(public_key!), { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify'])
  const bytes = new TextEncoder().encode(signed.record)
  const verify = (data: Uint8Array<ArrayBuffer>) =>
    crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, fromBase64url(signed.device_signature!), data)
  expect(await verify(bytes)).toBe(true)
  bytes[20]! ^= 1
  expect(await verify(bytes)).toBe(false)
  expect(fromBase64url(signed.device_signature!)).toHaveLength(64)
  expect(signed.sha256).toMatch(/^[0-9a-f]{64}$/)
})

test.each([
  ['nothing', []],
  ['a dot', [[[100, 100, 0, 1]]]],
  ['seven points', [Array.from({ length: 7 }, (_, i) => [i * 100, i * 100, 0, 1])]],
  ['a small scribble', [Array.from({ length: 40 }, (_, i) => [i % 20, i % 10, 0, 1])]],
] as [string, Stroke[]][])('%s is no signature', async (_, strokes) => {
  expect(isTrivial(strokes)).toBe(true)
  await expect(sign({ ...what, strokes })).rejects.toMatchObject({ code: 'signature_empty' })
})

test('a name is one', () => expect(isTrivial(ink)).toBe(false))

test('ink becomes whole numbers from the first point on', () => {
  const pad = { toData: () => [{ points: [{ x: 1.26, y: 2, time: 1_000.4, pressure: 0.5 }, { x: 3, y: 4, time: 1_009, pressure: 0 }] }, { points: [] }] }
  expect(strokesOf(pad)).toEqual([[[13, 20, 0, 128], [30, 40, 9, 128]]])
})

test('the statement names people as they are, whatever their name holds', () => {
  const values = { household: '{mentor} $& Achieng', mentor: 'Amina', date: '1 May', organisation: 'Village' }
  expect(signatureText({ text: '{mentor} of {organisation} visited {household} on {date}. {other}' }, values)).toBe(
    'Amina of Village visited {mentor} $& Achieng on 1 May. {other}',
  )
})
