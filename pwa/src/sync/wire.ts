// What goes over the wire for a photo: its ciphertext when its key is sealed to the server, else the picture itself.
import type { CaptureMeta } from '../db/schema'
import { openPicture, TAG } from '../captures/locker'
import { parcelTag } from '../vault/parcel'
import type { Upload } from './tus'

export const wireBytes = ({ bytes, parcel }: Pick<CaptureMeta, 'bytes' | 'parcel'>): number => bytes + (parcel ? TAG : 0)

export async function toWire(photo: CaptureMeta, cipher: ArrayBuffer): Promise<[Upload, ArrayBuffer]> {
  const { id, sha256, upload, parcel } = photo
  const sending: Upload = { id, sha256, upload, bytes: wireBytes(photo), sealed: parcel ? parcelTag(parcel) : null }
  return [sending, parcel ? cipher : await openPicture(cipher, photo.secret)]
}
