// Uploads a file with @uppy/tus as it comes: node uppy.js (settings from the environment).
import { readFile } from 'node:fs/promises'
import Uppy from '@uppy/core'
import Tus from '@uppy/tus'

const { ENDPOINT, TOKEN, EVIDENCE, FILE, CHUNK, WITH_CREATION } = process.env
const bytes = await readFile(FILE)
const uppy = new Uppy({ autoProceed: false }).use(Tus, {
  endpoint: ENDPOINT,
  headers: { Authorization: `Bearer ${TOKEN}` },
  chunkSize: Number(CHUNK),
  uploadDataDuringCreation: WITH_CREATION === '1',
  retryDelays: Array(40).fill(20),
  allowedMetaFields: ['evidence', 'name', 'type'],
})
// Outside a browser tus-js-client takes buffers; Uppy asks only for their size.
const data = Object.assign(bytes, { size: bytes.length })
uppy.addFile({ name: 'photo.jpg', type: 'image/jpeg', data, meta: { evidence: EVIDENCE } })
const { successful, failed } = await uppy.upload()
if (failed.length > 0 || successful.length !== 1) throw new Error(failed[0]?.error ?? 'nothing was uploaded')
