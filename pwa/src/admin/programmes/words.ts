// The catalogue's words for a programme's kind, category and status.
import { m } from '../../paraglide/messages.js'

const kinds: Record<string, () => string> = {
  graduation: m.programme_graduation,
  microfinance: m.programme_microfinance,
  agriculture: m.programme_agriculture,
  education: m.programme_education,
  health: m.programme_health,
  infrastructure: m.programme_infrastructure,
  skills: m.programme_skills,
  youth: m.programme_youth,
  women: m.programme_women,
  other: m.programme_other,
  ppa: m.programme_ppa,
  request: m.programme_request,
  operations: m.programme_operations,
  draft: m.programme_draft,
  open: m.programme_open,
  closed: m.programme_closed,
}
export const KINDS = ['graduation', 'microfinance', 'agriculture', 'education', 'health', 'infrastructure', 'skills', 'youth', 'women', 'other']
export const CATEGORIES = ['graduation', 'ppa', 'request', 'operations']
export const STATUSES = ['draft', 'open', 'closed']
const word = (key: string): string => kinds[key]?.() ?? key
export const kindLabel = word
export const categoryLabel = word
export const statusLabel = word
