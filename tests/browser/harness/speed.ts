// How fast the browser is here: a test that slows it down to a phone's speed must end at the same phone on every machine.
import type { Page } from '@playwright/test'
import { pageFunctions } from 'lighthouse/core/lib/page-functions.js'

/**
 * What Lighthouse's own benchmark gives for a phone of the middle (a Pixel 5), as Chrome's developer tools have it for
 * their preset "Mid-tier mobile" (`midScore` in their CalibrationController).
 */
const MIDDLE = 1000

/** How many times slower than this browser such a phone is; 1 where nothing is left to slow down. */
export async function slowdown(page: Page): Promise<number> {
  let index = 0
  // The first warms the engine up, and other work on the machine only ever makes it look slower.
  for (let i = 0; i < 3; i++) index = Math.max(index, await page.evaluate(pageFunctions.computeBenchmarkIndex))
  return Math.max(1, index / MIDDLE)
}
