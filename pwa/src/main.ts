// Opens what is on this phone, then shows it.
import './styles/base.css'
import { mount, unmount, type Component } from 'svelte'
import App from './App.svelte'
import { m } from './paraglide/messages.js'
import { watchInstall } from './me/install.svelte'
import Failed from './shell/Failed.svelte'
import { start } from './start'

/** Milliseconds. A database that does not open would leave the mark of the house there for ever, with no way on. */
const PATIENCE = 15_000

let shown: Record<string, unknown> | null = null
function show<Props extends Record<string, unknown>>(view: Component<Props>, props: Props): void {
  const target = document.getElementById('app')
  if (!target) return
  if (shown) void unmount(shown)
  target.replaceChildren()
  shown = mount(view, { target, props })
}

watchInstall()
const late = setTimeout(() => show(Failed, { text: m.failed_storage() }), PATIENCE)
void start().then(() => {
  clearTimeout(late)
  show(App, {})
})
