// Before all stories: the demo organisation once, with every picture derived. Each story's server begins with a copy.
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { signIn } from './api'
import { BINARY, DIST, RESULTS } from './paths'
import { alive, freePort, start, stop, until } from './processes'

const DAY = 86_400_000

export default async function demo(): Promise<void> {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is not built: cargo build -p kilele`)
  if (!existsSync(join(DIST, 'sw.js'))) throw new Error('the web application is not built: make pwa')
  const { mtimeMs, size } = await stat(BINARY)
  // What the demo tells is told from today.
  const key = createHash('sha256').update(`${mtimeMs} ${size} ${new Date().toDateString()}`).digest('hex').slice(0, 12)
  const folder = join(RESULTS, 'demo')
  const ready = join(folder, key)
  process.env.KILELE_DEMO_DATA = ready
  if (existsSync(ready)) return
  await mkdir(folder, { recursive: true })
  for (const name of await readdir(folder)) {
    const old = join(folder, name)
    if (Date.now() - (await stat(old)).mtimeMs > DAY) await rm(old, { recursive: true, force: true })
  }
  const making = join(folder, `making-${process.pid}`)
  await make(making)
  // Another run may have been quicker.
  await rename(making, ready).catch(() => rm(making, { recursive: true, force: true }))
}

async function make(data: string): Promise<void> {
  const port = await freePort()
  const server = start(BINARY, ['serve', '--demo'], {
    env: { KILELE_LISTEN: `127.0.0.1:${port}`, KILELE_DATA_DIR: data, KILELE_PUBLIC_URL: `http://localhost:${port}` },
  })
  try {
    const answers = async (path: string) => fetch(`http://127.0.0.1:${port}${path}`).catch(() => null)
    await until(
      'the demo organisation',
      async () => {
        if (!alive(server.child)) throw new Error(`the server ended:\n${server.output()}`)
        return (await answers('/health/ready'))?.ok ?? false
      },
      600_000,
    )
    const admin = await signIn(`http://127.0.0.1:${port}`, 'admin.demo')
    await until('every picture of the demo', async () => (await admin.evidence()).every((one) => one.state === 'ready'), 600_000)
  } finally {
    await stop(server.child, 'SIGTERM')
  }
}
