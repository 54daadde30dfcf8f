// Unlocks by the phone's own screen lock: a passkey whose PRF gives the same secret each time. Offered, never required.
import { Problem } from '../api/problem'
import { utf8 } from '../bytes'
import { unwrap, wrap } from './pin'
import { welcome, type Opened } from './people'
import { changeVault, vault as readVault } from './vaults'

type Bytes = Uint8Array<ArrayBuffer>
interface Prf {
  prf?: { enabled?: boolean; results?: { first?: ArrayBuffer } }
}

/** One passkey serves one account on one phone; its secret is for this purpose only. */
const PURPOSE = utf8('kilele screen lock 1')

/** Whether this phone has a screen lock that a page may use at all. PRF shows only when a passkey is made. */
export async function screenLockOffered(): Promise<boolean> {
  const made = globalThis.PublicKeyCredential
  return Boolean(await made?.isUserVerifyingPlatformAuthenticatorAvailable?.().catch(() => false))
}

export async function addScreenLock({ vault, key }: Opened): Promise<void> {
  if (!vault.pepper) throw new Problem('screen_lock_failed')
  const salt = crypto.getRandomValues(new Uint8Array(32))
  const made = (await ask(() => navigator.credentials.create({
    publicKey: {
      challenge: crypto.getRandomValues(new Uint8Array(32)),
      rp: { name: 'Kilele' },
      user: { id: utf8(vault.id), name: vault.label, displayName: vault.label },
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }, { type: 'public-key', alg: -257 }],
      authenticatorSelection: { authenticatorAttachment: 'platform', userVerification: 'required', residentKey: 'preferred' },
      extensions: { prf: { eval: { first: salt } } },
    },
  }))) as PublicKeyCredential
  const outputs = made.getClientExtensionResults() as Prf
  // Some phones give the secret only when the passkey is used.
  const secret = outputs.prf?.results?.first ?? (outputs.prf?.enabled ? await secretOf(made.rawId, salt) : null)
  if (!secret) throw new Problem('screen_lock_failed', 'This phone keeps no secret for a passkey')
  const wrapped = await wrap(key, bound(secret), vault.pepper, salt)
  await changeVault(vault.id, (one) => ({ ...one, lock: { ...wrapped, credential: made.rawId } }))
}

export async function removeScreenLock(id: string): Promise<void> {
  await changeVault(id, (one) => ({ ...one, lock: null }))
}

export async function unlockByScreen(id: string): Promise<Opened> {
  const one = await readVault(id)
  if (!one?.lock || !one.pepper) throw new Problem('screen_lock_failed')
  const secret = await secretOf(one.lock.credential, one.lock.salt)
  const key = secret && (await unwrap(one.lock, bound(secret), one.pepper))
  if (!key) throw new Problem('screen_lock_failed', 'The screen lock did not give the key')
  return { key, vault: await welcome(id) }
}

async function secretOf(credential: ArrayBuffer, salt: Bytes): Promise<ArrayBuffer | null> {
  const found = (await ask(() => navigator.credentials.get({
    publicKey: {
      challenge: crypto.getRandomValues(new Uint8Array(32)),
      allowCredentials: [{ type: 'public-key', id: credential }],
      userVerification: 'required',
      extensions: { prf: { eval: { first: salt } } },
    },
  }))) as PublicKeyCredential
  return (found.getClientExtensionResults() as Prf).prf?.results?.first ?? null
}

function bound(secret: ArrayBuffer): Bytes {
  const whole = new Uint8Array(PURPOSE.length + secret.byteLength)
  whole.set(PURPOSE)
  whole.set(new Uint8Array(secret), PURPOSE.length)
  return whole
}

async function ask(what: () => Promise<Credential | null>): Promise<Credential> {
  try {
    const given = await what()
    if (given) return given
  } catch {
    // The person turned away, or the phone has no such thing: the PIN is still there.
  }
  throw new Problem('screen_lock_failed', 'The screen lock did not answer')
}
