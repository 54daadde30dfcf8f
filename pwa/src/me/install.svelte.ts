// The browser's offer to install the app, kept until the person asks for it.

interface InstallPrompt extends Event {
  prompt: () => Promise<void>
  userChoice: Promise<{ outcome: 'accepted' | 'dismissed' }>
}

let offer = $state.raw<InstallPrompt | null>(null)

/** iPads say that they are Macs, and give themselves away by touch. */
export const apple = ({ userAgent, maxTouchPoints }: Pick<Navigator, 'userAgent' | 'maxTouchPoints'>): boolean =>
  /iPhone|iPad|iPod/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1)

export const installable = {
  get now() {
    return offer !== null
  },
  /** On Apple's phones the person does it by hand; without it Safari clears what is kept after seven days away. */
  get onApple() {
    return apple(navigator) && !matchMedia('(display-mode: standalone)').matches
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
