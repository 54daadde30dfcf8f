// Gives Node what the phone's code expects of a browser.
import 'fake-indexeddb/auto'
import fc from 'fast-check'

// The seed that `make test` prints, so that a failing run can be repeated.
fc.configureGlobal({ seed: Number(process.env.KILELE_TEST_SEED ?? 20261120) })

if (!globalThis.navigator) Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Node', onLine: true, language: 'en' } })
