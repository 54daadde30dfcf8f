// Recovery codes that were just made: shown once, above everything, until the person has kept them.
let codes = $state.raw<string[]>([])

export const recovery = {
  get codes(): string[] {
    return codes
  },
  show: (made: string[]): void => void (codes = made),
  kept: (): void => void (codes = []),
}
