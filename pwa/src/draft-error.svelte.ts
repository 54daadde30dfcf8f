// Why typing could not be kept, for the form that is open.
import type { Problem } from './api/problem'

export const draftError = $state<{ current: Problem | null }>({ current: null })
