// Stories in a real browser against a real server, which each story starts for itself.
import { defineConfig } from '@playwright/test'

/** What they measure is time: nothing else may run beside them. `--project=alone` after `--project=together`. */
const TIMED = /(lighthouse|photo-size|start)\.spec\.ts$/

export default defineConfig({
  testDir: 'stories',
  outputDir: 'results/failed',
  globalSetup: './harness/demo.ts',
  fullyParallel: false,
  // A story waits more than it computes.
  workers: 3,
  projects: [
    { name: 'together', testIgnore: TIMED },
    { name: 'alone', testMatch: TIMED, workers: 1 },
  ],
  timeout: 120_000,
  expect: { timeout: 15_000 },
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  reporter: [['list']],
  use: { actionTimeout: 15_000, navigationTimeout: 30_000 },
})
