// What went wrong, in the words of the person's language; the server's own sentence where the catalogue has none.
import { m } from './paraglide/messages.js';

const texts: Record<string, () => string> = {
  offline: m.error_offline, timeout: m.error_timeout, storage_full: m.error_storage_full, storage_failed: m.error_storage_failed, unsent_work: m.error_unsent_work,
  signature_empty: m.error_signature_empty, signature_lost: m.error_signature_lost, not_a_picture: m.error_not_a_picture, insecure_context: m.error_insecure_context,
  signed_out: m.error_signed_out, push_unavailable: m.error_push_unavailable, push_denied: m.error_push_denied, unexpected: m.error_unexpected,
  bad_request: m.error_unexpected, internal: m.error_internal, unavailable: m.error_unavailable, forbidden: m.error_forbidden, not_found: m.error_not_found, invalid: m.error_invalid,
  invalid_text: m.error_invalid, invalid_command: m.error_invalid_command, unknown_command: m.error_invalid_command, command_id_taken: m.error_invalid_command, stale: m.error_stale, wrong_state: m.error_wrong_state,
  exists: m.error_exists, own_visit: m.error_own_visit, other_household: m.error_other_household, other_subject: m.error_other_subject, evidence_missing: m.error_evidence_missing,
  evidence_unknown: m.error_evidence_unknown, not_signed_in: m.error_signed_out, session_ended: m.error_session_ended, session_reused: m.error_session_reused,
  invalid_credentials: m.error_invalid_credentials, too_many_attempts: m.error_too_many_attempts, token_invalid: m.error_token_invalid, token_expired: m.error_token_expired,
  password_too_short: m.error_password_too_short, password_too_long: m.error_password_too_long, device_key_changed: m.error_device_key_changed, cross_site: m.error_cross_site,
  not_ready: m.error_not_ready, quarantined: m.error_quarantined, truncated: m.error_truncated, too_large: m.error_too_large, bomb: m.error_bomb, unsupported: m.error_unsupported,
  unsupported_media_type: m.error_unsupported, hash_mismatch: m.error_checksum_mismatch, checksum_mismatch: m.error_checksum_mismatch, upload_expired: m.error_upload_expired,
  offset_mismatch: m.error_upload_expired, length_mismatch: m.error_upload_expired,
};

export function problemText(problem: { code?: string; message?: string }): string {
  return texts[problem.code ?? '']?.() ?? (problem.message || m.error_unexpected());
}
