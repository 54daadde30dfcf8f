// What the browser may take from the shell by itself: a slow phone starts a worker in a quarter of a second, and a start
// of the app needs none. A browser without static routes asks the worker, which answers the same.
import { FILES, isHashed, SHELL_CACHE } from './list'

/** https://w3c.github.io/ServiceWorker/#dom-installevent-addroutes */
interface Condition {
  urlPattern?: string | { pathname: string; search: string }
  requestMethod?: string
  requestMode?: string
  or?: Condition[]
}
interface Installing extends ExtendableEvent {
  addRoutes?: (rules: { condition: Condition; source: { cacheName: string } }[]) => Promise<void>
}

/** Only what this version keeps: what it does not know goes to the worker, which also looks in the version before. */
export function askNobody(event: ExtendableEvent): void {
  const { addRoutes } = event as Installing
  if (!addRoutes) return
  const source = { cacheName: SHELL_CACHE }
  const kept = FILES.filter(({ url }) => isHashed(url)).map(({ url }) => ({ urlPattern: url, requestMethod: 'GET' }))
  // With a query it is not in the cache by that name, and nothing would be found without a network.
  const front = { pathname: '/', search: '' }
  const routes = [
    { condition: { urlPattern: front, requestMethod: 'GET', requestMode: 'navigate' }, source },
    { condition: { or: kept }, source },
  ]
  // A browser with other rules is no reason not to install.
  event.waitUntil(addRoutes.call(event, routes).catch(() => undefined))
}
