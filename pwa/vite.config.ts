// Builds the app, then the service worker over the list of what was built, then compressed copies.
import { paraglideVitePlugin } from '@inlang/paraglide-js'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'
import { precompress } from './build/precompress.ts'
import { serviceWorker } from './build/service-worker.ts'

const version = JSON.stringify(process.env.npm_package_version ?? '0')

// What every screen needs, in one file: on a slow line each request costs more than its bytes.
const core = { name: 'core', tags: ['$initial' as const], priority: 2 }
// The parts that views are made of, in one more: a view then waits for two files, not for twenty, each of which costs a
// slow phone milliseconds before anything is painted.
const parts = { name: 'parts', test: /\/src\/ui\//, priority: 1 }
// What only screens with a network share goes with them, not to every phone.
const shared = { name: 'shared', test: /\/src\/(?!vault|sync|captures|db|api|sw|admin|figures|imports|platform)/, minShareCount: 3 }

export default defineConfig({
  define: { __VERSION__: version },
  plugins: [
    // Tests have the messages compiled already; the plugin's watcher would keep them from ending.
    !process.env.VITEST &&
      paraglideVitePlugin({
        project: './project.inlang',
        outdir: './src/paraglide',
        strategy: ['globalVariable', 'baseLocale'],
      }),
    svelte(),
    serviceWorker(),
    precompress(),
  ],
  build: {
    target: 'es2022',
    reportCompressedSize: false,
    assetsInlineLimit: 2048,
    rolldownOptions: { output: { codeSplitting: { groups: [core, parts, shared] } } },
  },
  server: { proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true } } },
  test: { include: ['tests/**/*.test.ts', 'src/**/*.test.ts'], setupFiles: ['tests/setup.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
})
