// "2 records and 3 photos", in the language that is on.
import { m } from '../paraglide/messages.js'

export function itemsText(records: number, photos: number): string {
  if (records && photos)
    return m.items_both({ records: m.items_records({ count: records }), photos: m.items_photos({ count: photos }) })
  return photos ? m.items_photos({ count: photos }) : m.items_records({ count: records })
}
