// Going to the organisation's own sign-in, and what is kept meanwhile: nobody else's answer opens this door.
import { request } from '../api/client'
import { deviceId } from '../device'

const KEPT = 'kilele-provider'

export async function goToProvider(): Promise<void> {
  const begun = await request<{ url: string; state: string }>('/api/sessions/provider', {
    json: { device: await deviceId() },
    signedIn: false,
  })
  sessionStorage.setItem(KEPT, begun.state)
  location.assign(begun.url)
}

/** Once. */
export function takeState(): string | null {
  const state = sessionStorage.getItem(KEPT)
  sessionStorage.removeItem(KEPT)
  return state
}
