// Builds /sw.js after the app, with the list of built files (and a hash of each) written into it.
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type Plugin, type ResolvedConfig, type Rolldown } from 'vite'

// Fetched when first needed, and kept from then on: what only desktops and administrators open, and what asks the server
// for all that it shows.
const WITH_A_NETWORK =
  /\/src\/(admin\/|imports\/|platform\/|figures\/|duplicates\/(Duplicates|Compare)|devices\/(MyD|D)evices|grants\/(Release|Desk)|home\/Home|me\/(Told|Account)|api\/admin|team\/Unreached|trainings\/Plan|certificates\/|households\/PersonalData|sign-in\/(Setup|Join))/
// Only installing asks for these icons, with a network; the worker and the compressed copies list themselves nowhere.
const LEFT_OUT = /(^sw(-kill)?\.js$|\.(br|gz|map)$|^icon-(180|512|maskable-\d+)\.png$)/
const WORKER = /\.worker-[^/]*\.js$/

export interface Listed {
  url: string
  revision: string
}

export function serviceWorker(): Plugin {
  let config: ResolvedConfig
  let needed = new Set<string>()
  return {
    name: 'kilele-service-worker',
    apply: 'build',
    configResolved: (resolved) => void (config = resolved),
    writeBundle(_, bundle) {
      needed = offline(Object.values(bundle))
    },
    closeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        const dist = join(config.root, config.build.outDir)
        const files = await list(dist, needed)
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

/** What the app's views can ask for without a network: the built files that lead on from its start, whatever they are called. */
function offline(bundle: (Rolldown.OutputAsset | Rolldown.OutputChunk)[]): Set<string> {
  const chunks = new Map(bundle.filter((one) => one.type === 'chunk').map((one) => [one.fileName, one]))
  const found = new Set<string>()
  const follow = (name: string): void => {
    const chunk = chunks.get(name)
    if (found.has(name) || !chunk) return
    found.add(name)
    for (const css of chunk.viteMetadata?.importedCss ?? []) found.add(css)
    for (const asset of chunk.viteMetadata?.importedAssets ?? []) found.add(asset)
    chunk.imports.forEach(follow)
    for (const next of chunk.dynamicImports) {
      const chunk = chunks.get(next)
      // One that others import too has no module that stands for it.
      if (!WITH_A_NETWORK.test(chunk?.facadeModuleId ?? chunk?.moduleIds.join() ?? '')) follow(next)
    }
  }
  for (const { fileName, isEntry } of chunks.values()) if (isEntry) follow(fileName)
  return found
}

async function list(dist: string, needed: Set<string>): Promise<Listed[]> {
  const entries = await readdir(dist, { recursive: true, withFileTypes: true })
  const files: Listed[] = []
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(dist.length + 1).replaceAll('\\', '/')
    if (LEFT_OUT.test(name)) continue
    // Pictures and workers are named in the code, which no list of imports tells.
    if (/^assets\/.*\.(js|css)$/.test(name) && !needed.has(name) && !WORKER.test(name)) continue
    files.push({ url: name === 'index.html' ? '/' : `/${name}`, revision: digest(await readFile(path)) })
  }
  return files.sort((a, b) => (a.url < b.url ? -1 : 1))
}

const digest = (data: string | Buffer) => createHash('sha256').update(data).digest('hex').slice(0, 12)
