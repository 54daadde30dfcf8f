// Writes a .br and a .gz beside every text file of dist, so that the server compresses nothing at run time.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import type { Plugin, ResolvedConfig } from 'vite'

const TEXT = /\.(html|js|css|svg|json|webmanifest|txt)$/
const WORTH_IT = 1024

export function precompress(): Plugin {
  let config: ResolvedConfig
  return {
    name: 'kilele-precompress',
    apply: 'build',
    configResolved: (resolved) => void (config = resolved),
    closeBundle: {
      order: 'post',
      sequential: true,
      async handler() {
        const dist = join(config.root, config.build.outDir)
        for (const name of await readdir(dist, { recursive: true })) {
          if (!TEXT.test(name)) continue
          const path = join(dist, name)
          const bytes = await readFile(path)
          if (bytes.length < WORTH_IT) continue
          const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length }
          await writeFile(`${path}.br`, brotliCompressSync(bytes, { params }))
          await writeFile(`${path}.gz`, gzipSync(bytes, { level: 9 }))
        }
      },
    },
  }
}
