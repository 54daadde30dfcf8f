// Names that the page and the worker share.

/** One cache of sealed pictures for each person: this and the vault's id. */
export const PICTURES = 'kilele-pictures-'
/** As version 0.1 kept pictures: in clear. */
export const CLEAR_PICTURES = 'kilele-media'
export const SYNC_TAG = 'kilele-outbox'

/** Every person's cached pictures: the server still has them. */
export async function dropPictures(): Promise<void> {
  if (typeof caches === 'undefined') return
  const names = (await caches.keys()).filter((name) => name.startsWith(PICTURES) || name === CLEAR_PICTURES)
  await Promise.all(names.map((name) => caches.delete(name)))
}

/** How much of this phone they take. */
export async function picturesSize(): Promise<number> {
  if (typeof caches === 'undefined') return 0
  let bytes = 0
  for (const name of (await caches.keys()).filter((one) => one.startsWith(PICTURES))) {
    const cache = await caches.open(name)
    for (const key of await cache.keys()) bytes += (await (await cache.match(key))?.blob())?.size ?? 0
  }
  return bytes
}
