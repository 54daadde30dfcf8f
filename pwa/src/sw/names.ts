// Names that the page and the worker share.

export const MEDIA_CACHE = 'kilele-media'
export const SYNC_TAG = 'kilele-outbox'
