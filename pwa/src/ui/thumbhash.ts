// Turns a ThumbHash (about 28 bytes, base64) into a blurred picture to show until the real one is here. Algorithm: Evan Wallace, MIT.

/** The hash holds at most seven waves a side; a list of faces must not keep the thumb waiting. */
const SIDE = 14
const made = new Map<string, string>()

/** data: URL of the blurred picture, or null when the hash can't be read; remembered per hash. */
export function placeholderUrl(hash: string | null | undefined): string | null {
  if (!hash) return null
  let url = made.get(hash)
  if (url === undefined) {
    try {
      url = paint(Uint8Array.from(atob(hash.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0)))
    } catch {
      url = ''
    }
    if (made.size > 500) made.clear()
    made.set(hash, url)
  }
  return url || null
}

function paint(hash: Uint8Array): string {
  const at = (i: number) => hash[i] ?? 0
  const a = at(0) | (at(1) << 8) | (at(2) << 16),
    b = at(3) | (at(4) << 8)
  const lDc = (a & 63) / 63,
    pDc = ((a >> 6) & 63) / 31.5 - 1,
    qDc = ((a >> 12) & 63) / 31.5 - 1
  const hasAlpha = a >> 23,
    landscape = b >> 15
  const lx = Math.max(3, landscape ? (hasAlpha ? 5 : 7) : b & 7),
    ly = Math.max(3, landscape ? b & 7 : hasAlpha ? 5 : 7)
  const start = hasAlpha ? 6 : 5
  let index = 0
  const channel = (nx: number, ny: number, scale: number) => {
    const ac: number[] = []
    for (let cy = 0; cy < ny; cy++)
      for (let cx = cy ? 0 : 1; cx * ny < nx * (ny - cy); cx++)
        ac.push((((at(start + (index >> 1)) >> ((index++ & 1) << 2)) & 15) / 7.5 - 1) * scale)
    return ac
  }
  const l = channel(lx, ly, ((a >> 18) & 31) / 31),
    p = channel(3, 3, (((b >> 3) & 63) / 63) * 1.25),
    q = channel(3, 3, (((b >> 9) & 63) / 63) * 1.25)

  const ratio = lx / ly,
    w = Math.round(ratio > 1 ? SIDE : SIDE * ratio),
    h = Math.round(ratio > 1 ? SIDE / ratio : SIDE)
  const { bytes, row } = bitmap(w, h)
  const sum = (ac: number[], nx: number, ny: number, fx: number[], fy: number[]) => {
    let total = 0
    for (let cy = 0, j = 0; cy < ny; cy++)
      for (let cx = cy ? 0 : 1; cx * ny < nx * (ny - cy); cx++, j++)
        total += (ac[j] ?? 0) * (fx[cx] ?? 0) * (fy[cy] ?? 0) * 2
    return total
  }
  const waves = (n: number, at: number) => Array.from({ length: n }, (_, c) => Math.cos(Math.PI * at * c))
  const across = Array.from({ length: w }, (_, x) => waves(Math.max(lx, 3), (x + 0.5) / w))
  for (let y = 0; y < h; y++) {
    const fy = waves(Math.max(ly, 3), (y + 0.5) / h)
    for (let x = 0; x < w; x++) {
      const fx = across[x]!
      const light = lDc + sum(l, lx, ly, fx, fy),
        yellow = pDc + sum(p, 3, 3, fx, fy),
        red = qDc + sum(q, 3, 3, fx, fy)
      const blue = light - (2 / 3) * yellow,
        r = (3 * light - blue + red) / 2
      // Blue first.
      for (const [c, value] of [blue, r - red, r].entries()) bytes[row(y) + 3 * x + c] = 255 * Math.max(0, Math.min(1, value))
    }
  }
  return `data:image/bmp;base64,${btoa(String.fromCharCode(...bytes))}`
}

/** A Windows bitmap without colours yet: to make a canvas write a PNG costs a slow phone ten times as long. */
function bitmap(w: number, h: number): { bytes: Uint8Array; row: (y: number) => number } {
  const [head, line] = [54, (3 * w + 3) & ~3]
  const bytes = new Uint8Array(head + line * h)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, 0x424d)
  view.setUint32(2, bytes.length, true)
  view.setUint32(10, head, true)
  view.setUint32(14, 40, true)
  view.setInt32(18, w, true)
  view.setInt32(22, h, true)
  view.setUint16(26, 1, true)
  view.setUint16(28, 24, true)
  // From the bottom up.
  return { bytes, row: (y) => head + line * (h - 1 - y) }
}
