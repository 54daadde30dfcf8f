// Where things are: the repository, the server's binary, and what tests leave behind.
import { join, resolve } from 'node:path'

export const REPOSITORY = resolve(import.meta.dirname, '../../..')
export const DIST = join(REPOSITORY, 'pwa/dist')
export const RESULTS = join(REPOSITORY, 'tests/browser/results')
export const BINARY =
  process.env.KILELE_BINARY ?? join(process.env.CARGO_TARGET_DIR ?? join(REPOSITORY, 'target'), 'debug/kilele')
