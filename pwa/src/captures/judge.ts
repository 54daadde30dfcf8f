// Whether a picture looks dark or blurred: a hint to take it again, never a verdict.

/** Mean brightness, of 255, under which a face is hardly seen. */
const DARK = 45
/** Edge strength that the sharpest parts of a picture in focus go far beyond, with its longer side at 800 pixels. */
const SHARP = 30
/** Parts each way: one thing in focus is enough, a wall beside it says nothing. */
const PARTS = 8

/** `grey` is a picture of about 800 pixels, row by row. */
export function judge(grey: ArrayLike<number>, width: number, height: number): { dark: boolean; blurred: boolean } {
  let sum = 0
  for (let i = 0; i < grey.length; i++) sum += grey[i]!
  const dark = sum / Math.max(1, grey.length) < DARK
  const strengths: number[] = []
  const across = Math.max(1, Math.floor((width - 2) / PARTS))
  const down = Math.max(1, Math.floor((height - 2) / PARTS))
  for (let y = 1; y + down < height; y += down) {
    for (let x = 1; x + across < width; x += across) strengths.push(edges(grey, width, x, y, across, down))
  }
  strengths.sort((a, b) => b - a)
  // The sharpest tenth: one speck of dust or a date stamp makes no sharp picture.
  const best = strengths[Math.floor(strengths.length / 10)] ?? 0
  // In the dark there is only the sensor's noise to look at.
  return { dark, blurred: !dark && best < SHARP }
}

/** Variance of the Laplacian, the usual measure of focus. */
function edges(grey: ArrayLike<number>, width: number, left: number, top: number, across: number, down: number): number {
  let sum = 0
  let squares = 0
  for (let y = top; y < top + down; y++) {
    for (let x = left; x < left + across; x++) {
      const at = y * width + x
      const laplace = 4 * grey[at]! - grey[at - 1]! - grey[at + 1]! - grey[at - width]! - grey[at + width]!
      sum += laplace
      squares += laplace * laplace
    }
  }
  const count = across * down
  return squares / count - (sum / count) ** 2
}
