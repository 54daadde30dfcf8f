-- Records and signed texts are kept packed (docs/adr/0011). What is there stays readable as it is, and is packed when it
-- changes next. SQLite keeps bytes in a column that was declared TEXT; only tables that change their shape are made anew:
-- without a rowid the table is its own primary index.

-- In the order in which it is pulled: a page of a pull lies together.
CREATE TABLE feed_entry_new (
    org      UUID    NOT NULL,
    feed     UUID    NOT NULL,
    id       UUID    NOT NULL,
    kind     TEXT    NOT NULL,
    revision BIGINT  NOT NULL,
    deleted  BOOLEAN NOT NULL,
    body     BYTEA   NOT NULL,
    PRIMARY KEY (org, feed, revision, id),
    FOREIGN KEY (org, feed) REFERENCES feed (org, id)
) WITHOUT ROWID;
INSERT INTO feed_entry_new SELECT org, feed, id, kind, revision, deleted, CAST(body AS BLOB) FROM feed_entry
ORDER BY org, feed, revision, id;
DROP TABLE feed_entry;
ALTER TABLE feed_entry_new RENAME TO feed_entry;
CREATE UNIQUE INDEX feed_entry_id ON feed_entry (org, id, feed);

-- The hash of the event before is not kept a second time: whoever follows the chain has it at hand.
CREATE TABLE audit_new (
    org          UUID   NOT NULL,
    feed         UUID   NOT NULL,
    sequence     BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    member       UUID,
    device       UUID,
    action       TEXT   NOT NULL,
    subject_kind TEXT   NOT NULL,
    subject      UUID   NOT NULL,
    change       TEXT   NOT NULL,
    hash         BYTEA  NOT NULL,
    PRIMARY KEY (org, feed, sequence),
    FOREIGN KEY (org, feed) REFERENCES feed (org, id)
) WITHOUT ROWID;
INSERT INTO audit_new SELECT org, feed, sequence, at, member, device, action, subject_kind, subject, change, hash
FROM audit ORDER BY org, feed, sequence;
DROP TABLE audit;
ALTER TABLE audit_new RENAME TO audit;
CREATE INDEX audit_subject ON audit (org, subject);

CREATE TABLE command_log_new (
    org       UUID   NOT NULL,
    id        UUID   NOT NULL,
    member    UUID   NOT NULL,
    device    UUID   NOT NULL,
    kind      TEXT   NOT NULL,
    device_at BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    answer    TEXT   NOT NULL,
    rejected  TEXT,
    PRIMARY KEY (org, id)
) WITHOUT ROWID;
INSERT INTO command_log_new SELECT org, id, member, device, kind, device_at, at, answer, rejected
FROM command_log ORDER BY org, id;
-- With its index by member, for which nothing asks.
DROP TABLE command_log;
ALTER TABLE command_log_new RENAME TO command_log;

CREATE TABLE derivative_new (
    org     UUID   NOT NULL,
    sha256  TEXT   NOT NULL,
    variant TEXT   NOT NULL,
    bytes   BIGINT NOT NULL,
    hash    TEXT   NOT NULL,
    PRIMARY KEY (org, sha256, variant)
) WITHOUT ROWID;
INSERT INTO derivative_new SELECT org, sha256, variant, bytes, hash FROM derivative ORDER BY org, sha256, variant;
DROP TABLE derivative;
ALTER TABLE derivative_new RENAME TO derivative;

CREATE TABLE blob_new (
    org       UUID    NOT NULL,
    sha256    TEXT    NOT NULL,
    bytes     BIGINT  NOT NULL,
    stored_at BIGINT  NOT NULL,
    PRIMARY KEY (org, sha256)
) WITHOUT ROWID;
INSERT INTO blob_new SELECT org, sha256, bytes, stored_at FROM blob ORDER BY org, sha256;
DROP TABLE blob;
ALTER TABLE blob_new RENAME TO blob;
