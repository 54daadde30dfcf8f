-- What field workers record. The whole record stands once, in its feed entry; here are the columns that are asked for.

CREATE TABLE place (
    org        UUID   NOT NULL REFERENCES organisation (id),
    id         UUID   NOT NULL,
    parent     UUID,
    level      BIGINT NOT NULL,
    code       TEXT   NOT NULL,
    name       TEXT   NOT NULL,
    lat        DOUBLE PRECISION,
    lon        DOUBLE PRECISION,
    PRIMARY KEY (org, id),
    UNIQUE (org, code)
);

CREATE TABLE household (
    org              UUID   NOT NULL,
    id               UUID   NOT NULL,
    feed             UUID   NOT NULL,
    number           TEXT   COLLATE "C" NOT NULL,
    name_key         TEXT   COLLATE "C" NOT NULL,
    national_id_hash BYTEA,
    phone_hash       BYTEA,
    last_visit_at    BIGINT,
    registered_at    BIGINT NOT NULL,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, feed) REFERENCES feed (org, id)
);
CREATE INDEX household_by_name ON household (org, name_key, number);
CREATE INDEX household_by_feed ON household (org, feed, name_key, number);
CREATE INDEX household_by_national_id ON household (org, national_id_hash);
CREATE INDEX household_by_phone ON household (org, phone_hash);

CREATE TABLE visit (
    org             UUID   NOT NULL,
    id              UUID   NOT NULL,
    feed            UUID   NOT NULL,
    household       UUID   NOT NULL,
    mentor          UUID   NOT NULL,
    number          TEXT   COLLATE "C" NOT NULL,
    state           TEXT   NOT NULL,
    kind            TEXT   NOT NULL,
    planned_at      BIGINT,
    started_at      BIGINT,
    ended_at        BIGINT,
    submitted_at    BIGINT,
    decided_at      BIGINT,
    decided_by      UUID,
    business_status TEXT,
    income_minor    BIGINT,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, household) REFERENCES household (org, id),
    FOREIGN KEY (org, feed) REFERENCES feed (org, id)
);
CREATE INDEX visit_by_state ON visit (org, state, submitted_at, id);
CREATE INDEX visit_by_household ON visit (org, household, started_at);
CREATE INDEX visit_by_mentor ON visit (org, mentor, state);

CREATE TABLE evidence (
    org          UUID   NOT NULL,
    id           UUID   NOT NULL,
    feed         UUID   NOT NULL,
    subject_kind TEXT   NOT NULL,
    subject      UUID   NOT NULL,
    slot         TEXT   NOT NULL,
    state        TEXT   NOT NULL,
    sha256       TEXT   NOT NULL,
    bytes        BIGINT NOT NULL,
    captured_by  UUID   NOT NULL,
    device       UUID   NOT NULL,
    captured_at  BIGINT NOT NULL,
    received_at  BIGINT,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, feed) REFERENCES feed (org, id)
);
CREATE INDEX evidence_by_subject ON evidence (org, subject, slot);
CREATE INDEX evidence_by_sha256 ON evidence (org, sha256);

CREATE TABLE blob (
    org       UUID    NOT NULL,
    sha256    TEXT    NOT NULL,
    bytes     BIGINT  NOT NULL,
    stored_at BIGINT  NOT NULL,
    PRIMARY KEY (org, sha256)
);

CREATE TABLE upload (
    org        UUID   NOT NULL,
    id         UUID   NOT NULL,
    evidence   UUID   NOT NULL,
    member     UUID   NOT NULL,
    length     BIGINT NOT NULL,
    received   BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, evidence) REFERENCES evidence (org, id)
);
CREATE INDEX upload_expiry ON upload (expires_at);

-- What phones say they hold, before the bytes come: the server can name every photo that was taken and has not arrived.
CREATE TABLE capture (
    org          UUID   NOT NULL,
    id           UUID   NOT NULL,
    device       UUID   NOT NULL,
    member       UUID   NOT NULL,
    sha256       TEXT   NOT NULL,
    bytes        BIGINT NOT NULL,
    slot         TEXT   NOT NULL,
    subject      UUID   NOT NULL,
    captured_at  BIGINT NOT NULL,
    announced_at BIGINT NOT NULL,
    received_at  BIGINT,
    PRIMARY KEY (org, id)
);
CREATE INDEX capture_missing ON capture (org, device, received_at);

CREATE TABLE signature (
    org              UUID   NOT NULL,
    id               UUID   NOT NULL,
    feed             UUID   NOT NULL,
    subject_kind     TEXT   NOT NULL,
    subject          UUID   NOT NULL,
    sequence         BIGINT NOT NULL,
    member           UUID   NOT NULL,
    device           UUID   NOT NULL,
    record           TEXT   NOT NULL,
    sha256           TEXT   NOT NULL,
    device_key       BYTEA,
    device_signature BYTEA,
    previous         BYTEA,
    server_signature BYTEA  NOT NULL,
    received_at      BIGINT NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, feed, sequence),
    FOREIGN KEY (org, feed) REFERENCES feed (org, id)
);
CREATE INDEX signature_by_subject ON signature (org, subject);

CREATE TABLE inbox (
    org        UUID   NOT NULL,
    id         UUID   NOT NULL,
    member     UUID   NOT NULL,
    kind       TEXT   NOT NULL,
    subject    UUID   NOT NULL,
    created_at BIGINT NOT NULL,
    read_at    BIGINT,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, member) REFERENCES member (org, id)
);
CREATE INDEX inbox_by_member ON inbox (org, member, created_at);

CREATE TABLE push_subscription (
    endpoint   TEXT   NOT NULL PRIMARY KEY,
    org        UUID   NOT NULL,
    member     UUID   NOT NULL,
    device     UUID   NOT NULL,
    p256dh     TEXT   NOT NULL,
    auth       TEXT   NOT NULL,
    language   TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    FOREIGN KEY (org, member) REFERENCES member (org, id)
);
CREATE INDEX push_by_member ON push_subscription (org, member);
