// A server whose clock is not the machine's: libfaketime, loaded before it.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { RESULTS } from './paths'

/** Debian's, whatever the machine. */
function library(): string {
  const folders = readdirSync('/usr/lib').filter((name) => name.endsWith('-linux-gnu'))
  const found = folders.map((name) => `/usr/lib/${name}/faketime/libfaketime.so.1`).find((path) => existsSync(path))
  if (!found) throw new Error('libfaketime is missing: scripts/setup test')
  return found
}

/** `faketime.c`, built by whichever story needs it first. */
function missing(): string {
  const built = join(RESULTS, 'faketime.so')
  if (!existsSync(built)) {
    mkdirSync(RESULTS, { recursive: true })
    const making = `${built}.${process.pid}`
    execFileSync('cc', ['-shared', '-fPIC', '-o', making, join(import.meta.dirname, 'faketime.c')])
    renameSync(making, built)
  }
  return built
}

/** The environment of a server that is so many milliseconds ahead, or behind. */
export const clockOf = (ms: number): Record<string, string> =>
  ms ? { LD_PRELOAD: `${library()} ${missing()}`, FAKETIME: `${ms < 0 ? '' : '+'}${Math.round(ms / 1000)}`, FAKETIME_DONT_FAKE_MONOTONIC: '1' } : {}
