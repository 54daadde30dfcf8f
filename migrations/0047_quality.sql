-- What is not known of a household, as bits; -1 until the server has looked (with its next start).
ALTER TABLE household ADD COLUMN gaps BIGINT NOT NULL DEFAULT -1;
