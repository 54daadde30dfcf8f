// What an API key may do, in words.
import { m } from '../paraglide/messages.js'

const labels: Record<string, () => string> = {
  'households:read': m.scope_households,
  'visits:read': m.scope_visits,
  'commands:write': m.scope_commands,
  'media:read': m.scope_media,
  'media:write': m.scope_uploads,
  'signatures:read': m.scope_signatures,
  'places:read': m.scope_places,
  'places:write': m.scope_places_write,
  'imports:read': m.scope_imports_read,
  'imports:write': m.scope_imports_write,
  'members:read': m.scope_members,
  'members:write': m.scope_members_write,
  'audit:read': m.scope_audit,
}

export const scopeLabel = (scope: string): string => labels[scope]?.() ?? scope
export const scopes = () => Object.entries(labels).map(([value, label]) => ({ value, label: label() }))
