// Fills this browser's database with one of the sample scenes and opens the app; never part of the product.
import { openAccount, writeMeta } from '../src/db/account'
import { setPref } from '../src/db/prefs'
import { row } from '../src/db/schema'
import type { Records, SessionView } from '../src/api/records'
import { enrol } from '../src/vault/people'
import { account, scene, scenes, type SceneName } from './scenes'

/** What opens the sample account. */
const PIN = '258036'
const asked = new URLSearchParams(location.search)
const name = asked.get('scene') as SceneName | null
if (name) void fill(name).then(() => (asked.has('stay') ? (document.title = 'filled') : location.replace('/')))
else
  for (const each of scenes)
    document.getElementById('scenes')!.insertAdjacentHTML('beforeend', `<li><a href="?scene=${each}">${each}</a></li>`)

async function fill(which: SceneName): Promise<void> {
  const made = scene(which)
  const { vault, key } = await enrol(account.id, account.name, PIN, '', made.session.organisation.id)
  const db = await openAccount(vault.id, key)
  const stores = ['records', 'outbox', 'captures', 'blobs', 'drafts', 'cursors', 'attention', 'meta'] as const
  for (const store of stores) await db.clear(store)
  const tx = db.transaction('records', 'readwrite')
  for (const [kind, bodies] of Object.entries(made.records) as [keyof Records, { id: string }[]][])
    for (const body of bodies) void tx.objectStore('records').put(row(kind, body.id, made.feedOf(kind, body), body as never))
  await tx.done
  for (const waiting of made.outbox) await db.add('outbox', waiting)
  for (const capture of made.captures) {
    await db.put('captures', capture)
    await db.put('blobs', await picture(), capture.id)
  }
  for (const draft of made.drafts) await db.put('drafts', draft)
  for (const refused of made.attention) await db.put('attention', refused)
  if (made.lastSyncAt) await writeMeta('lastSyncAt', made.lastSyncAt, db)
  await writeMeta('session', made.session as SessionView, db)
  db.close()
  await setPref('vault', vault.id)
  const language = asked.get('language')
  if (language === 'en' || language === 'sw') await setPref('language', language)
}

async function picture(): Promise<ArrayBuffer> {
  const canvas = new OffscreenCanvas(640, 480)
  const context = canvas.getContext('2d')!
  const sky = context.createLinearGradient(0, 0, 0, 480)
  sky.addColorStop(0, '#9cc7dd')
  sky.addColorStop(1, '#c78d4f')
  context.fillStyle = sky
  context.fillRect(0, 0, 640, 480)
  context.fillStyle = '#7a4a2a'
  context.fillRect(200, 210, 240, 160)
  context.fillStyle = '#c9b28b'
  context.beginPath()
  context.moveTo(170, 215)
  context.lineTo(320, 110)
  context.lineTo(470, 215)
  context.fill()
  return (await canvas.convertToBlob({ type: 'image/jpeg' })).arrayBuffer()
}
