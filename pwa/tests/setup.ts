// Gives Node what the phone's code expects of a browser.
import 'fake-indexeddb/auto'

if (!globalThis.navigator) Object.defineProperty(globalThis, 'navigator', { value: { userAgent: 'Node', onLine: true, language: 'en' } })
