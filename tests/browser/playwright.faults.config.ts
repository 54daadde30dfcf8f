// The fault harness: `npx playwright test -c playwright.faults.config.ts`. See docs/faults.md.
import { defineConfig } from '@playwright/test'
import stories from './playwright.config'

export default defineConfig({
  ...stories,
  projects: undefined,
  workers: 1,
  testDir: 'faults',
  // Whoever waits for what a fault took away should notice soon.
  expect: { timeout: 10_000 },
  use: { actionTimeout: 10_000, navigationTimeout: 20_000 },
})
