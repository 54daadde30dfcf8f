// The day as records hold it, by the organisation's clock.
import { localInput } from '../shell/inputs'

export const dayOf = (at = Date.now()): string => localInput(at).slice(0, 10)
