-- What every change goes through: feeds, commands, audit, jobs, numbers.

-- revision is lock, order and sync cursor at once; the chains' heads live in the row that is locked anyway.
CREATE TABLE feed (
    org                UUID   NOT NULL REFERENCES organisation (id),
    id                 UUID   NOT NULL,
    kind               TEXT   NOT NULL,
    revision           BIGINT NOT NULL,
    audit_sequence     BIGINT NOT NULL DEFAULT 0,
    audit_head         BYTEA,
    signature_sequence BIGINT NOT NULL DEFAULT 0,
    signature_head     BYTEA,
    PRIMARY KEY (org, id)
);

-- The record as the API shows it, latest only. A pull is one range scan over feed_entry_order.
CREATE TABLE feed_entry (
    org      UUID    NOT NULL,
    feed     UUID    NOT NULL,
    id       UUID    NOT NULL,
    kind     TEXT    NOT NULL,
    revision BIGINT  NOT NULL,
    deleted  BOOLEAN NOT NULL,
    body     TEXT    NOT NULL,
    PRIMARY KEY (org, id, feed),
    FOREIGN KEY (org, feed) REFERENCES feed (org, id)
);
CREATE INDEX feed_entry_order ON feed_entry (org, feed, revision);

-- Answered once and remembered. The body is kept when it was rejected: what a person typed is not lost.
CREATE TABLE command_log (
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
);
CREATE INDEX command_log_member ON command_log (org, member, at);

CREATE TABLE audit (
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
    previous     BYTEA,
    hash         BYTEA  NOT NULL,
    PRIMARY KEY (org, feed, sequence),
    FOREIGN KEY (org, feed) REFERENCES feed (org, id)
);
CREATE INDEX audit_subject ON audit (org, subject);

CREATE TABLE job (
    id          UUID   NOT NULL PRIMARY KEY,
    org         UUID   NOT NULL,
    kind        TEXT   NOT NULL,
    dedupe      TEXT   NOT NULL UNIQUE,
    body        TEXT   NOT NULL,
    state       TEXT   NOT NULL,
    run_at      BIGINT NOT NULL,
    lease_until BIGINT NOT NULL,
    attempts    BIGINT NOT NULL,
    error       TEXT
);
CREATE INDEX job_due ON job (state, run_at);

CREATE TABLE number_block (
    org  UUID   NOT NULL,
    name TEXT   NOT NULL,
    next BIGINT NOT NULL,
    PRIMARY KEY (org, name)
);

-- Both values of a field that two people changed, until a supervisor settles it.
CREATE TABLE conflict (
    org    UUID NOT NULL,
    id     UUID NOT NULL,
    feed   UUID NOT NULL,
    record UUID NOT NULL,
    state  TEXT NOT NULL,
    PRIMARY KEY (org, id)
);
CREATE INDEX conflict_open ON conflict (org, record, state);
