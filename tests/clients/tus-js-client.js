// Uploads a file with tus-js-client as it comes: node tus-js-client.js (settings from the environment).
import { readFile } from 'node:fs/promises'
import { Upload } from 'tus-js-client'

const { ENDPOINT, TOKEN, EVIDENCE, FILE, CHUNK, WITH_CREATION } = process.env
const bytes = await readFile(FILE)
await new Promise((done, failed) => {
  const upload = new Upload(bytes, {
    endpoint: ENDPOINT,
    headers: { Authorization: `Bearer ${TOKEN}` },
    metadata: { filename: 'photo.jpg', evidence: EVIDENCE },
    chunkSize: Number(CHUNK),
    uploadDataDuringCreation: WITH_CREATION === '1',
    retryDelays: Array(40).fill(20),
    onSuccess: done,
    onError: failed,
  })
  upload.start()
})
