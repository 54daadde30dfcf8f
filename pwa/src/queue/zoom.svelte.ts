// Enlarging and shifting a picture with two fingers, the wheel or buttons.

export class Zoom {
  scale = $state(1)
  x = $state(0)
  y = $state(0)
  #fingers = new Map<number, { x: number; y: number }>()

  reset = () => {
    this.scale = 1
    this.x = this.y = 0
  }

  enlarge = (by: number) => {
    this.scale = Math.min(6, Math.max(1, this.scale * by))
    if (this.scale === 1) this.reset()
  }

  toggle = () => (this.scale > 1 ? this.reset() : this.enlarge(2.5))

  wheel = (event: WheelEvent) => {
    event.preventDefault()
    this.enlarge(event.deltaY < 0 ? 1.2 : 1 / 1.2)
  }

  down = (event: PointerEvent & { currentTarget: Element }) => {
    this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    event.currentTarget.setPointerCapture(event.pointerId)
  }

  move = (event: PointerEvent) => {
    const before = this.#fingers.get(event.pointerId)
    if (!before) return
    const apart = this.#spread()
    this.#fingers.set(event.pointerId, { x: event.clientX, y: event.clientY })
    if (this.#fingers.size === 2) this.enlarge(this.#spread() / (apart || 1))
    else if (this.scale > 1) {
      this.x += event.clientX - before.x
      this.y += event.clientY - before.y
    }
  }

  up = (event: PointerEvent) => {
    this.#fingers.delete(event.pointerId)
  }

  #spread(): number {
    const [a, b] = [...this.#fingers.values()]
    return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0
  }
}
