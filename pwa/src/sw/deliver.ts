// Sends what is sealed when the browser says there is a network and no page of the app is open.
import { deliverSealed } from '../vault/doors'
import { vaults } from '../vault/vaults'

/** For everybody on this phone: none of it needs a key or a session. */
export async function deliver(): Promise<void> {
  for (const { id } of await vaults()) await deliverSealed(id)
}
