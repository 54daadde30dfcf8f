// What axe finds wrong with a page, as sentences. Its script is put into a page once and stays as long as the page does;
// and as nothing here is framed, no second page is opened to gather what it found: @axe-core/playwright does both each time,
// which takes longer than the reading.
import type { AxeResults, RunOptions } from 'axe-core'
import runner from 'axe-core'
import type { Page } from '@playwright/test'

/** All rules, or those alone that are named. */
export async function axe(page: Page, rules: string[] | null = null): Promise<string[]> {
  // A button that is just becoming able to be pressed has the colours of neither.
  await page.evaluate(() => {
    const passing = document.getAnimations().filter((one) => Number.isFinite(one.effect?.getComputedTiming().endTime))
    return Promise.allSettled(passing.map((one) => one.finished)).then(() => undefined)
  })
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(runner.source)
  const options: RunOptions = {
    // What is well fills no lists.
    resultTypes: ['violations'],
    ...(rules && { runOnly: rules }),
  }
  const { violations } = await page.evaluate(
    (given) => (globalThis as unknown as { axe: { run: (where: Document, options: RunOptions) => Promise<AxeResults> } }).axe.run(document, given),
    options,
  )
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(({ target, any }) => `${id}: ${help}: ${target.join(' ')} ${any[0]?.message ?? ''}`.trim()),
  )
}
