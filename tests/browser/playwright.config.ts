// Stories in a real browser against a real server. One worker: a story owns the machine's two cores while it runs.
import { defineConfig } from '@playwright/test'

export default defineConfig({
  testDir: 'stories',
  outputDir: 'results/failed',
  globalSetup: './harness/demo.ts',
  fullyParallel: false,
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 15_000 },
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  reporter: [['list']],
  use: { actionTimeout: 15_000, navigationTimeout: 30_000 },
})
