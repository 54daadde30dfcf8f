// The phone's measurements: `make bench` runs them; `npx playwright test -c playwright.bench.config.ts` alone.
import { defineConfig } from '@playwright/test'
import stories from './playwright.config'

export default defineConfig({ ...stories, projects: undefined, workers: 1, testDir: 'bench', testMatch: 'phone.ts', expect: { timeout: 60_000 }, use: { actionTimeout: 60_000, navigationTimeout: 60_000 } })
