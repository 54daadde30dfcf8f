// Gives Node what the phone's code expects of a browser.
import 'fake-indexeddb/auto'
