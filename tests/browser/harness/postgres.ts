// A PostgreSQL of a story's own, with the demo organisation in it: what several copies of the server stand on.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { BINARY, REPOSITORY } from './paths'
import { alive, start, stop, until } from './processes'
import { Server } from './server'

const run = promisify(execFile)

export interface OnPostgres {
  server: Server
  end: () => Promise<void>
}

/** One copy of the server; its `twin()` is another. */
export async function onPostgres(): Promise<OnPostgres> {
  const cluster = start(join(REPOSITORY, 'scripts/with-postgres'), ['sh', '-c', 'echo "$KILELE_TEST_POSTGRES_URL"; exec sleep 3600'])
  const address = () => /postgres:\/\/\S+/.exec(cluster.output())?.[0]
  await until('PostgreSQL', () => {
    if (!alive(cluster.child)) throw new Error(`PostgreSQL did not start:\n${cluster.output()}`)
    return address() !== undefined
  })
  const url = address()!
  const server = await Server.start({ env: { KILELE_DATABASE_URL: url }, prepare: (data) => moved(data, url) })
  return {
    server,
    async end() {
      await server.end()
      await stop(cluster.child, 'SIGTERM')
    },
  }
}

/** As an installation moves from SQLite to PostgreSQL: by a backup of the one that is put back into the other. */
async function moved(data: string, url: string): Promise<void> {
  const place = await mkdtemp(join(tmpdir(), 'kilele-moved-'))
  try {
    const env = { ...process.env, KILELE_DATA_DIR: data, KILELE_LOG: 'error' }
    await run(BINARY, ['backup', '--to', place], { cwd: data, env })
    await run(BINARY, ['restore', '--from', place, '--yes'], { cwd: data, env: { ...env, KILELE_DATABASE_URL: url } })
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}
