// What the ways to a person are called.
import type { Channel } from '../api/told'
import { m } from '../paraglide/messages.js'

export const ways: Record<Channel, () => string> = { push: m.told_push, email: m.told_by_email, sms: m.told_sms }
