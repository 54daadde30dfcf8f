// Sends what waits when the browser says there is a network and no page of the app is open.
import { onExpired } from '../api/client'
import { openAccount } from '../db/account'
import { pref } from '../db/prefs'
import { deviceId } from '../device'
import { renew } from '../renew'
import { alone } from '../sync/alone'
import { runCycle } from '../sync/cycle'

onExpired(async (seenAt) => void (await renew(seenAt)))

export async function deliver(): Promise<void> {
  const account = await pref('account')
  if (!account) return
  const db = await openAccount(account.id)
  try {
    const device = await deviceId()
    await alone(() => runCycle(db, device))
  } finally {
    db.close()
  }
}
