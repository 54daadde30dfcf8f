-- Uploads remember which pieces count, and a finished one is remembered until it expires: a client that lost the last
-- answer asks and learns that all is there.

-- What was under way is begun again by the phones.
DELETE FROM upload;
ALTER TABLE upload ADD COLUMN metadata TEXT NOT NULL DEFAULT '';
ALTER TABLE upload ADD COLUMN pieces TEXT NOT NULL DEFAULT '';
ALTER TABLE upload ADD COLUMN done BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX upload_member ON upload (org, member, expires_at);

-- What was derived from an original, as it was written: so that a wrong byte can be told.
CREATE TABLE derivative (
    org     UUID   NOT NULL,
    sha256  TEXT   NOT NULL,
    variant TEXT   NOT NULL,
    bytes   BIGINT NOT NULL,
    hash    TEXT   NOT NULL,
    PRIMARY KEY (org, sha256, variant)
);
