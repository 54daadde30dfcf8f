// The service worker: the app's shell, notifications and background delivery; no business rules.
import './sw/events'
