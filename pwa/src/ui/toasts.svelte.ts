// Short messages that pass by: toast('Saved'). Anything that must not be missed belongs in a Banner or a Dialog.

export interface ToastMessage {
  id: number
  text: string
  tone: 'good' | 'bad' | 'info'
}

export const toasts = $state<ToastMessage[]>([])
let last = 0

export function toast(text: string, tone: ToastMessage['tone'] = 'good', ms = 5000) {
  const id = ++last
  toasts.push({ id, text, tone })
  setTimeout(() => {
    const at = toasts.findIndex((t) => t.id === id)
    if (at >= 0) toasts.splice(at, 1)
  }, ms)
}
