// Served in the worker's place when an operator must take it off every phone: removes itself and its copies of the app.
// What people recorded is in IndexedDB, which it does not touch; pages that are open go on.
self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', (event) => {
  const own = (name) => name.startsWith('kilele-shell-') || name.startsWith('kilele-pictures-') || name === 'kilele-media'
  const clear = async () => {
    const names = (await caches.keys()).filter(own)
    await Promise.all(names.map((name) => caches.delete(name)))
    await self.registration.unregister()
  }
  event.waitUntil(clear())
})
