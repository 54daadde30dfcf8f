// What a phone has to fetch before it shows anything, as built: brotli, in kilobytes of 1,000 bytes.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@playwright/test'
import { DIST } from '../harness/paths'

/** What goes over the line; small files are not worth compressing. */
function weight(file: string): number {
  const packed = join(DIST, `${file}.br`)
  return statSync(existsSync(packed) ? packed : join(DIST, file)).size / 1000
}
const sum = (files: Iterable<string>) => [...files].reduce((total, file) => total + weight(file), 0)
const read = (file: string) => readFileSync(join(DIST, file), 'utf8')
const matches = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map((found) => found[1]!)

test('the first screen, the worker’s stock and each part are within the budget', () => {
  const page = read('index.html')
  const scripts = new Set(matches(page, /(?:src|href)="\/(assets\/[^"]+\.js)"/g))
  // Whatever those import at once, and so on.
  for (const script of scripts) {
    for (const name of matches(read(script), /(?:from|import)\s*"\.\/([\w-]+\.js)"/g)) scripts.add(`assets/${name}`)
  }
  const styles = matches(page, /href="\/(assets\/[^"]+\.css)"/g)
  const stock = new Set(matches(read('sw.js'), /url:\s*[`"']\/([^`"']*)[`"']/g).map((url) => url || 'index.html'))
  expect(scripts.size).toBeGreaterThan(0)
  expect(styles.length).toBeGreaterThan(0)
  expect(stock.size).toBeGreaterThan(20)
  for (const file of [...scripts, ...styles]) expect([...stock]).toContain(file)

  const weights = { js: sum(scripts), css: sum(styles), html: weight('index.html'), stock: sum(stock) }
  console.log(Object.entries(weights).map(([name, kb]) => `${name} ${kb.toFixed(1)} kB`).join(' · '))
  expect.soft(weights.js).toBeLessThanOrEqual(60)
  expect.soft(weights.css).toBeLessThanOrEqual(8)
  expect.soft(weights.html).toBeLessThanOrEqual(3)
  // Above the 250 kB that a phone was to keep for visits: programmes, groups and grants came to it, in two languages
  // (docs/phone-storage.md).
  expect.soft(weights.stock).toBeLessThanOrEqual(360)
})

test('what only larger screens draw is within its budget, and in no phone’s stock', () => {
  const kept = new Set(matches(read('sw.js'), /url:\s*[`"']\/(assets\/[^`"']*)[`"']/g))
  const drawn = new Set(['bars', 'land', 'Dashboard'].flatMap((name) => named(name)))
  expect(drawn.size).toBeGreaterThanOrEqual(3)
  // Whatever those need beside what a phone keeps anyway.
  for (const file of drawn) {
    for (const name of matches(file.endsWith('.js') ? read(file) : '', /["'`](?:\.\/|assets\/)([\w-]+\.(?:js|css))["'`]/g)) if (!kept.has(`assets/${name}`)) drawn.add(`assets/${name}`)
  }
  for (const file of drawn) expect([...kept]).not.toContain(file)
  const bars = named('bars').map(weight)
  const land = named('land').map(weight)
  console.log(`bars ${bars.map((kb) => kb.toFixed(1)).join(' + ')} kB · land ${land.map((kb) => kb.toFixed(1)).join(' + ')} kB · with the screen ${sum(drawn).toFixed(1)} kB`)
  expect(sum(drawn)).toBeLessThanOrEqual(250)
})

/** The built files of a part, by its name in the source. */
function named(name: string): string[] {
  const files = readdirSync(join(DIST, 'assets')).filter((file) => new RegExp(`^${name}-[\\w-]{8}\\.(js|css)$`).test(file))
  expect(files.length, name).toBeGreaterThan(0)
  return files.map((file) => `assets/${file}`)
}

test('what is kept without a network leads nowhere that is not', () => {
  const kept = new Set(matches(read('sw.js'), /url:\s*[`"']\/(assets\/[^`"']*\.js)[`"']/g))
  const missing = [...kept].flatMap((file) =>
    matches(read(file), /(?:from|import)\s*"\.\/([\w.-]+\.js)"/g)
      .filter((name) => !kept.has(`assets/${name}`))
      .map((name) => `${file} needs ${name}`),
  )
  expect(missing).toEqual([])
})
