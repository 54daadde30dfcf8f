// Builds /sw.js after the app, with the list of built files (and a hash of each) written into it.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type Plugin, type ResolvedConfig } from 'vite'

// Fetched when first needed, and kept from then on: what only desktops and administrators open, who work with a network,
// and the large icons, which only installing asks for. The worker and the compressed copies list themselves nowhere.
const ADMINISTRATION =
  'desktop|admin|Audit|Keys|Members|Organisation|Oversight|Overview|PersonalData|Places|Platform|Privacy|Roles|Setup|Join'
const LEFT_OUT = new RegExp(
  `(^sw(-kill)?\\.js$|\\.(br|gz|map)$|^assets/(${ADMINISTRATION})-|^icon-(maskable-)?512\\.png$)`,
)

export interface Listed {
  url: string
  revision: string
}

export function serviceWorker(): Plugin {
  let config: ResolvedConfig
  return {
    name: 'kilele-service-worker',
    apply: 'build',
    configResolved: (resolved) => void (config = resolved),
    closeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        const dist = join(config.root, config.build.outDir)
        const files = await list(dist)
        const shell = digest(JSON.stringify(files))
        await build({
          configFile: false,
          root: config.root,
          publicDir: false,
          logLevel: 'warn',
          define: {
            __FILES__: JSON.stringify(files),
            __SHELL__: JSON.stringify(shell),
            __VERSION__: JSON.stringify(process.env.npm_package_version ?? '0'),
          },
          build: {
            target: 'es2022',
            outDir: config.build.outDir,
            emptyOutDir: false,
            reportCompressedSize: false,
            rollupOptions: {
              input: join(config.root, 'src/sw.ts'),
              output: { format: 'iife', entryFileNames: 'sw.js' },
            },
          },
        })
      },
    },
  }
}

async function list(dist: string): Promise<Listed[]> {
  const entries = await readdir(dist, { recursive: true, withFileTypes: true })
  const files: Listed[] = []
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(dist.length + 1).replaceAll('\\', '/')
    if (LEFT_OUT.test(name)) continue
    files.push({ url: name === 'index.html' ? '/' : `/${name}`, revision: digest(await readFile(path)) })
  }
  return files.sort((a, b) => (a.url < b.url ? -1 : 1))
}

const digest = (data: string | Buffer) => createHash('sha256').update(data).digest('hex').slice(0, 12)
