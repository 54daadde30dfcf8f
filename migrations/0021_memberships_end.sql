-- When a membership ended: what its member made after that is put aside instead of applied.
ALTER TABLE member ADD COLUMN ended_at BIGINT;
UPDATE member SET ended_at = (
    SELECT max(p.ended_at) FROM member_feed_past p WHERE p.org = member.org AND p.member = member.id
) WHERE NOT active;

-- What was put aside waits until somebody takes it after all, or leaves it; it stays here either way.
ALTER TABLE outbox_kept ADD COLUMN settled_at BIGINT;
ALTER TABLE outbox_kept ADD COLUMN settled_by UUID;
ALTER TABLE outbox_kept ADD COLUMN taken BOOLEAN;
