// Child processes that are certain to end: each is stopped by its own id, also when the test run is cut short.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'

const running = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

export interface Running {
  child: ChildProcess
  /** What it wrote so far. */
  output: () => string
}

export function start(command: string, args: string[], options: { cwd?: string; env?: Record<string, string> } = {}): Running {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => (output += bytes))
  child.stderr.on('data', (bytes: Buffer) => (output += bytes))
  child.on('error', (error) => (output += error.message))
  running.add(child)
  child.once('exit', () => running.delete(child))
  return { child, output: () => output }
}

/** Sends the signal and waits until the process is gone. */
export async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

export const alive = (child: ChildProcess): boolean => child.exitCode === null && child.signalCode === null

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Asks until the answer is yes; says what was waited for when it never is. */
export async function until(what: string, ask: () => Promise<boolean> | boolean, timeout = 60_000): Promise<void> {
  const end = Date.now() + timeout
  while (!(await ask())) {
    if (Date.now() > end) throw new Error(`waited ${timeout} ms for ${what}`)
    await new Promise((done) => setTimeout(done, 50))
  }
}
