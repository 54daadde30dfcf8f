// Short messages that pass by: toast('Saved'). Anything that must not be missed belongs in a Banner or a Dialog.

export interface ToastMessage {
  id: number
  text: string
  tone: 'good' | 'bad' | 'info'
}

export const toasts = $state<ToastMessage[]>([])
const ends = new Map<number, ReturnType<typeof setTimeout>>()
let last = 0

/** The same words again while they are still there only stay longer. */
export function toast(text: string, tone: ToastMessage['tone'] = 'good', ms = 5000) {
  const same = toasts.find((one) => one.text === text && one.tone === tone)
  const id = same?.id ?? ++last
  if (!same) toasts.push({ id, text, tone })
  clearTimeout(ends.get(id))
  ends.set(id, setTimeout(() => end(id), ms))
}

function end(id: number) {
  ends.delete(id)
  const at = toasts.findIndex((one) => one.id === id)
  if (at >= 0) toasts.splice(at, 1)
}
