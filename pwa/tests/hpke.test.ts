// HPKE as the RFC prints it, and as the outbox uses it.
import { expect, test } from 'vitest'
import { base64url, hex, utf8 } from '../src/bytes'
import { AES_128, open, seal } from '../src/vault/hpke'

const bytes = (text: string) => Uint8Array.from(text.match(/../g)!, (pair) => parseInt(pair, 16))

/** A key pair from the scalar and the point that the RFC prints. */
async function pair(secret: string, point: string): Promise<CryptoKeyPair> {
  const raw = bytes(point)
  const jwk = {
    kty: 'EC', crv: 'P-256', d: base64url(bytes(secret)),
    x: base64url(raw.slice(1, 33)), y: base64url(raw.slice(33)), ext: true,
  }
  const curve = { name: 'ECDH', namedCurve: 'P-256' }
  const privateKey = await crypto.subtle.importKey('jwk', jwk, curve, true, ['deriveBits'])
  const publicKey = await crypto.subtle.importKey('raw', raw, curve, true, [])
  return { privateKey, publicKey }
}

// RFC 9180, appendix A.3.1: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-128-GCM, base mode, sequence number 0.
const RFC = {
  info: '4f6465206f6e2061204772656369616e2055726e',
  skE: '4995788ef4b9d6132b249ce59a77281493eb39af373d236a1fe415cb0c2d7beb',
  pkE: '04a92719c6195d5085104f469a8b9814d5838ff72b60501e2c4466e5e67b325ac98536d7b61a1af4b78e5b7f951c0900be863c403ce65c9bfcb9382657222d18c4',
  skR: 'f3ce7fdae57e1a310d87f1ebbde6f328be0a99cdbcadf4d6589cf29de4b8ffd2',
  pkR: '04fe8c19ce0905191ebc298a9245792531f26f0cece2460639e8bc39cb7f706a826a779b4cf969b8a0e539c7f62fb3d30ad6aa8f80e30f1d128aafd68a2ce72ea0',
  aad: '436f756e742d30',
  plain: '4265617574792069732074727574682c20747275746820626561757479',
  sealed: '5ad590bb8baa577f8619db35a36311226a896e7342a6d836d8b7bcd2f20b6c7f9076ac232e3ab2523f39513434',
}

test('the example of RFC 9180, A.3.1', async () => {
  const sender = await pair(RFC.skE, RFC.pkE)
  const made = await seal(bytes(RFC.pkR), bytes(RFC.info), bytes(RFC.aad), bytes(RFC.plain), sender, AES_128)
  expect(hex(made.enc.buffer)).toBe(RFC.pkE)
  expect(hex(made.sealed.buffer)).toBe(RFC.sealed)
  const recipient = await pair(RFC.skR, RFC.pkR)
  const opened = await open(recipient, made.enc, bytes(RFC.info), bytes(RFC.aad), made.sealed, AES_128)
  expect(hex(opened.buffer)).toBe(RFC.plain)
})

test('with AES-256: opened by its key alone, for its purpose, beside what it was sealed with', async () => {
  const recipient = await pair(RFC.skR, RFC.pkR)
  const [info, aad, plain] = [utf8('kilele-outbox-1'), utf8('1|command|o|m|d|i'), utf8('siri')]
  const { enc, sealed } = await seal(bytes(RFC.pkR), info, aad, plain)
  expect(await open(recipient, enc, info, aad, sealed)).toEqual(plain)
  await expect(open(recipient, enc, utf8('kilele-capture-1'), aad, sealed)).rejects.toThrow()
  await expect(open(recipient, enc, info, utf8('1|command|o|m|d|j'), sealed)).rejects.toThrow()
  await expect(open(await pair(RFC.skE, RFC.pkE), enc, info, aad, sealed)).rejects.toThrow()
  const again = await seal(bytes(RFC.pkR), info, aad, plain)
  expect(hex(again.enc.buffer)).not.toBe(hex(enc.buffer))
})
