// Builds the app, then the service worker over the list of what was built, then compressed copies.
import { paraglideVitePlugin } from '@inlang/paraglide-js'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vitest/config'
import { precompress } from './build/precompress.ts'
import { serviceWorker } from './build/service-worker.ts'

const version = JSON.stringify(process.env.npm_package_version ?? '0')

export default defineConfig({
  define: { __VERSION__: version },
  plugins: [
    paraglideVitePlugin({
      project: './project.inlang',
      outdir: './src/paraglide',
      strategy: ['globalVariable', 'baseLocale'],
    }),
    svelte(),
    serviceWorker(),
    precompress(),
  ],
  build: { target: 'es2022', sourcemap: false, reportCompressedSize: false, assetsInlineLimit: 2048 },
  server: { proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true } } },
  test: { include: ['tests/**/*.test.ts', 'src/**/*.test.ts'], setupFiles: ['tests/setup.ts'] },
})
