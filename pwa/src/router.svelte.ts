// Which view is shown: history API, plain links, scroll given back on return, focus on the h1 after navigation.
import { tick } from 'svelte'
import { match, type Match } from './routes'

interface Entry {
  index: number
  from: string | null
  scroll: number
}

const here = () => location.pathname + location.search
const entry = (): Entry => (history.state as Entry | null) ?? { index: 0, from: null, scroll: 0 }

function read(): Match & { query: URLSearchParams; url: string; hash: string } {
  return { ...match(location.pathname), query: new URLSearchParams(location.search), url: here(), hash: location.hash }
}

let at = $state.raw(read())
let title = $state<string | null>(null)

export const router = {
  get route() {
    return at.route
  },
  get params() {
    return at.params
  },
  get query() {
    return at.query
  },
  get path() {
    return at.url.split('?')[0]
  },
  get hash() {
    return at.hash
  },
  get title() {
    return title ?? at.route.title()
  },
}

/** A view whose title depends on its record says so; forgotten at the next navigation to another path. */
export const setTitle = (text: string) => {
  title = text
}

/** Goes to an address of the app. `quiet` keeps scroll and focus (filters); `replace` leaves no step to go back to. */
export function navigate(url: string, { replace = false, quiet = false } = {}) {
  const before = here()
  if (url === before && !replace) return
  history.replaceState({ ...entry(), scroll: scrollY }, '')
  const next: Entry = replace ? entry() : { index: entry().index + 1, from: before, scroll: 0 }
  history[replace ? 'replaceState' : 'pushState'](next, '', url)
  show(quiet ? null : 0)
}

/** Back where the person came from, or to `fallback` when the app was opened here. */
export function goBack(fallback: string) {
  if (entry().index > 0) history.back()
  else navigate(fallback, { replace: true })
}

function show(scroll: number | null) {
  const before = at.url.split('?')[0]
  at = read()
  if (before !== location.pathname) title = null
  if (scroll !== null) void settle(scroll)
}

/** Waits for the view (it may still be loading), then scrolls and moves the focus to its heading. */
async function settle(scroll: number) {
  const url = here()
  await tick()
  for (let tries = 0; tries < 60 && url === here(); tries++) {
    const heading = document.querySelector<HTMLElement>('main h1')
    const deep = document.documentElement.scrollHeight - innerHeight >= scroll
    if (heading && (deep || tries === 59 || scroll === 0)) {
      heading.focus({ preventScroll: true })
      scrollTo({ top: scroll, behavior: 'instant' })
      return
    }
    await new Promise((done) => setTimeout(done, 16))
  }
}

export function startRouter() {
  history.scrollRestoration = 'manual'
  if (!history.state) history.replaceState(entry(), '')
  addEventListener('popstate', () => show(entry().scroll))
  // A touched notice leads to its page in the app that is open.
  navigator.serviceWorker?.addEventListener('message', ({ data }: MessageEvent<{ type?: string; url?: string }>) => {
    if (data?.type === 'open' && data.url) navigate(data.url)
  })
  addEventListener('pagehide', () => history.replaceState({ ...entry(), scroll: scrollY }, ''))
  document.addEventListener('click', (event) => {
    if (
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return
    const link = (event.target as Element | null)?.closest('a')
    if (
      !link ||
      link.target ||
      link.hasAttribute('download') ||
      link.origin !== location.origin ||
      link.pathname.startsWith('/api/')
    )
      return
    if (link.hash && link.pathname === location.pathname && link.search === location.search) return
    event.preventDefault()
    if ('back' in link.dataset && entry().from?.split('?')[0] === link.pathname) history.back()
    else navigate(link.pathname + link.search + link.hash)
  })
}
