// Opens what is on this phone, then shows it.
import './styles/base.css'
import { mount } from 'svelte'
import App from './App.svelte'
import { watchInstall } from './me/install.svelte'
import { start } from './start'

watchInstall()
void start().then(() => {
  const target = document.getElementById('app')
  if (!target) return
  target.replaceChildren()
  mount(App, { target })
})
