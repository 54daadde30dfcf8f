// The live line: what changed meanwhile is fetched when it opens, hints wake, a dead one is noticed and left, and those who
// lost theirs come back one after the other.
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

const woken = vi.hoisted(() => ({ times: 0 }))
vi.mock('../src/sync/engine', () => ({ wake: () => void woken.times++ }))

class Line {
  static all: Line[] = []
  onopen?: () => void
  onmessage?: (event: { data: string }) => void
  onclose?: () => void
  said: string[] = []
  closed = false
  constructor(readonly url: string) {
    Line.all.push(this)
  }
  send(text: string) {
    this.said.push(text)
  }
  /** As of a dead line: closing takes longer than anybody waits. */
  close() {
    this.closed = true
  }
}
const last = () => Line.all.at(-1)!
let seen: 'visible' | 'hidden'
let online: boolean
let live: typeof import('../src/live')

beforeEach(async () => {
  vi.useFakeTimers()
  vi.spyOn(Math, 'random').mockReturnValue(0.5)
  Line.all = []
  woken.times = 0
  seen = 'visible'
  online = true
  const target = new EventTarget()
  vi.stubGlobal('WebSocket', Line)
  vi.stubGlobal('location', { protocol: 'https:', host: 'kilele.example.org' })
  const events = {
    addEventListener: target.addEventListener.bind(target),
    removeEventListener: target.removeEventListener.bind(target),
    dispatchEvent: target.dispatchEvent.bind(target),
  }
  vi.stubGlobal('document', { ...events, get visibilityState() { return seen } })
  for (const [name, value] of Object.entries(events)) vi.stubGlobal(name, value)
  Object.defineProperty(navigator, 'onLine', { configurable: true, get: () => online })
  vi.resetModules()
  live = await import('../src/live')
  live.startLive()
})
afterEach(() => {
  live.stopLive()
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

test('catches up when the line opens, and pulls at each hint', () => {
  expect(last().url).toBe('wss://kilele.example.org/api/live')
  expect(woken.times).toBe(0)
  last().onopen!()
  expect(woken.times).toBe(1)
  last().onmessage!({ data: '{"feed":"x","revision":7}' })
  last().onmessage!({ data: '{}' })
  expect(woken.times).toBe(3)
})

test('asks whether somebody is there, and an answer is no hint', () => {
  last().onopen!()
  vi.advanceTimersByTime(30_000)
  expect(last().said).toEqual(['beat'])
  vi.advanceTimersByTime(9_000)
  last().onmessage!({ data: 'beat' })
  expect(woken.times).toBe(1)
  vi.advanceTimersByTime(29_000)
  expect(last().said).toHaveLength(1)
  vi.advanceTimersByTime(1_000)
  expect(last().said).toHaveLength(2)
  expect(Line.all).toHaveLength(1)
})

test('a line without an answer is left, though it does not close, and another one is made', () => {
  const dead = last()
  dead.onopen!()
  vi.advanceTimersByTime(40_000)
  expect(dead.closed).toBe(true)
  expect(Line.all).toHaveLength(1)
  vi.advanceTimersByTime(2_000)
  expect(Line.all).toHaveLength(2)
  // What the dead one says at last disturbs nobody.
  dead.onclose!()
  vi.advanceTimersByTime(20_000)
  expect(Line.all).toHaveLength(2)
  last().onopen!()
  expect(woken.times).toBe(2)
})

test('waits twice as long after each failure, at most five minutes, and each phone a little otherwise', () => {
  const waited: number[] = []
  for (let n = 0; n < 10; n++) {
    const [before, from] = [Line.all.length, Date.now()]
    last().onclose!()
    while (Line.all.length === before) vi.advanceTimersByTime(100)
    waited.push(Date.now() - from)
  }
  // Three quarters of the full wait, as the dice say here.
  expect(waited.slice(0, 4)).toEqual([1_500, 3_000, 6_000, 12_000])
  expect(waited.at(-1)).toBe(225_000)
  vi.spyOn(Math, 'random').mockReturnValue(0)
  const from = Date.now()
  const before = Line.all.length
  last().onclose!()
  while (Line.all.length === before) vi.advanceTimersByTime(100)
  expect(Date.now() - from).toBe(150_000)
  // One that opens begins anew.
  last().onopen!()
  last().onclose!()
  vi.advanceTimersByTime(2_000)
  expect(Line.all).toHaveLength(before + 2)
})

test('the second failure in a row asks the engine, which renews a session that ended', () => {
  last().onclose!()
  expect(woken.times).toBe(0)
  vi.advanceTimersByTime(2_000)
  last().onclose!()
  expect(woken.times).toBe(1)
})

test('nobody looks, or there is no network: no line, until there is', () => {
  last().onopen!()
  seen = 'hidden'
  document.dispatchEvent(new Event('visibilitychange'))
  expect(last().closed).toBe(true)
  vi.advanceTimersByTime(600_000)
  expect(Line.all).toHaveLength(1)
  seen = 'visible'
  online = false
  document.dispatchEvent(new Event('visibilitychange'))
  expect(Line.all).toHaveLength(1)
  online = true
  dispatchEvent(new Event('online'))
  expect(Line.all).toHaveLength(2)
})
