// Peer: sharp, one thread, as a cascade over raw pixels. Arguments: folder, photos.
const path = require('node:path')
const sharp = require('sharp')

sharp.concurrency(1)
sharp.cache(false)

const inside = (size) => [size, size, { fit: 'inside', withoutEnlargement: true }]
const jpeg = { quality: 80, chromaSubsampling: '4:2:0', optimiseCoding: true }

async function main([folder, ...photos]) {
  for (const photo of photos) {
    const name = path.join(folder, path.parse(photo).name)
    let input = sharp(photo).rotate()
    for (const size of [1600, 480, 160]) {
      const { data, info } = await input.resize(...inside(size)).raw().toBuffer({ resolveWithObject: true })
      const raw = { raw: { width: info.width, height: info.height, channels: info.channels } }
      await sharp(data, raw).jpeg(jpeg).toFile(`${name}-${size}.jpg`)
      input = sharp(data, raw)
    }
  }
}

main(process.argv.slice(2))
