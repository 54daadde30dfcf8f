// Delivers what is sealed here for people who are not the one that is open, and removes those whose phone was revoked.
import { asProblem } from '../api/problem'
import { deliverSealed } from './doors'
import { vaults } from './vaults'
import { forgetPerson } from './wipe'

/** `open`: whose own sync does it. Says how much is left. */
export async function deliverOthers(open: string | null): Promise<number> {
  let waiting = 0
  for (const { id, revoked, pin, signedOut } of await vaults()) {
    if (id === open) continue
    try {
      const { left } = await deliverSealed(id)
      waiting += left
      // Nothing of theirs can be opened here and nothing waits: there is no reason to keep the name.
      if (left === 0 && (revoked || (!pin && signedOut))) await forgetPerson(id)
    } catch (error) {
      waiting++
      const { code } = asProblem(error)
      if (code === 'offline' || code === 'timeout') return waiting
    }
  }
  return waiting
}
