// Makes ids: UUIDv7 text, so that records made later sort later, also within one millisecond.

let last = 0
let count = 0

export function newId(): string {
  const at = Math.max(Date.now(), last)
  count = at === last ? count + 1 : 0
  // Beyond 4,096 in a millisecond the next one is borrowed.
  last = count > 0xfff ? at + 1 : at
  count &= 0xfff
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  for (let i = 5, rest = last; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[i] = rest % 256
  bytes[6] = 0x70 | (count >> 8)
  bytes[7] = count & 0xff
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
