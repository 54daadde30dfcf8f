// The browser's offer to install the app, kept until the person asks for it.

interface InstallPrompt extends Event {
  prompt: () => Promise<void>
  userChoice: Promise<{ outcome: 'accepted' | 'dismissed' }>
}

let offer = $state.raw<InstallPrompt | null>(null)

export const installable = {
  get now() {
    return offer !== null
  },
  async ask() {
    await offer?.prompt()
    offer = null
  },
}

export function watchInstall() {
  addEventListener('beforeinstallprompt', (event) => {
    event.preventDefault()
    offer = event as InstallPrompt
  })
  addEventListener('appinstalled', () => (offer = null))
}
