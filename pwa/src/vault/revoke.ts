// An administrator ended this phone's access: what waits is handed over by the doors that need no session, the rest goes.
import { deliverSealed } from './doors'
import { changeVault } from './vaults'
import { forgetPerson, wipeReadable } from './wipe'

export async function revoke(id: string): Promise<void> {
  // First deliver, as far as there is a line; what could be read goes in any case.
  const { left } = await deliverSealed(id).catch(() => ({ left: 1 }))
  await changeVault(id, (one) => ({ ...one, revoked: true }))
  await wipeReadable(id)
  if (left === 0) await forgetPerson(id)
}
