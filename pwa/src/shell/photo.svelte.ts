// The address of a photo while a component shows it: this phone's bytes when it has them, else the server's.
import { captureUrl, releaseUrl } from '../captures/url'

type Variant = 'thumb' | 'card' | 'full'

export function usePhoto(
  id: () => string | null,
  variant: () => Variant = () => 'card',
): { readonly url: string | null } {
  let url = $state<string | null>(null)
  $effect(() => {
    const wanted = id(),
      size = variant()
    let gone = false,
      held: string | null = null
    url = null
    if (wanted) {
      void captureUrl(wanted, size).then(
        (found) => {
          if (gone) releaseUrl(found)
          else url = held = found
        },
        () => {},
      )
    }
    return () => {
      gone = true
      if (held) releaseUrl(held)
    }
  })
  return {
    get url() {
      return url
    },
  }
}
