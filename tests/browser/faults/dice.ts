// Numbers that look random and are the same for the same seed: what a run does can be done again.

export class Dice {
  private state: number

  constructor(seed: string | number) {
    // FNV-1a: seeds that look alike begin far apart.
    let hash = 0x811c9dc5
    for (const char of String(seed)) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193)
    this.state = hash >>> 0
  }

  /** In [0, 1): mulberry32. */
  next(): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }

  below = (limit: number): number => Math.floor(this.next() * limit)
  between = (low: number, high: number): number => low + this.below(high - low + 1)
  chance = (share: number): boolean => this.next() < share
  pick = <T>(from: readonly T[]): T => from[this.below(from.length)]!

  /** Names with weights: the heavier, the likelier. */
  weighted<T extends string>(weights: Record<T, number>): T {
    const all = Object.entries(weights) as [T, number][]
    let at = this.next() * all.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of all) if ((at -= weight) < 0) return name
    return all[all.length - 1]![0]
  }
}
