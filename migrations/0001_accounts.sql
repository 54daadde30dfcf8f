-- Who may come in: organisations, accounts, members, their devices and sessions.
-- One text for both engines: every integer is BIGINT, every time milliseconds since 1970, every id a UUIDv7.

CREATE TABLE setting (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE organisation (
    id         UUID    NOT NULL PRIMARY KEY,
    code       TEXT    NOT NULL UNIQUE,
    name       TEXT    NOT NULL,
    demo       BOOLEAN NOT NULL,
    created_at BIGINT  NOT NULL
);

CREATE TABLE account (
    id            UUID   NOT NULL PRIMARY KEY,
    login         TEXT   NOT NULL UNIQUE,
    name          TEXT   NOT NULL,
    locale        TEXT   NOT NULL,
    password_hash TEXT,
    failures      BIGINT NOT NULL DEFAULT 0,
    locked_until  BIGINT NOT NULL DEFAULT 0,
    created_at    BIGINT NOT NULL
);

CREATE TABLE member (
    org        UUID    NOT NULL REFERENCES organisation (id),
    id         UUID    NOT NULL,
    account    UUID    NOT NULL REFERENCES account (id),
    role       TEXT    NOT NULL,
    supervisor UUID,
    active     BOOLEAN NOT NULL,
    created_at BIGINT  NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, account)
);

CREATE TABLE member_place (
    org    UUID NOT NULL,
    member UUID NOT NULL,
    place  UUID NOT NULL,
    PRIMARY KEY (org, member, place),
    FOREIGN KEY (org, member) REFERENCES member (org, id)
);

-- Scope, spelled out: the feeds a member may see. No row, no rows.
CREATE TABLE member_feed (
    org    UUID NOT NULL,
    member UUID NOT NULL,
    feed   UUID NOT NULL,
    PRIMARY KEY (org, member, feed),
    FOREIGN KEY (org, member) REFERENCES member (org, id)
);
CREATE INDEX member_feed_by_feed ON member_feed (org, feed);

-- A shared phone is one device id with a row (and a key) for each account that uses it.
CREATE TABLE device (
    id           UUID   NOT NULL,
    account      UUID   NOT NULL REFERENCES account (id),
    name         TEXT   NOT NULL,
    public_key   BYTEA,
    stats        TEXT,
    created_at   BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    PRIMARY KEY (id, account)
);

-- A session is a family of refresh tokens; only the hashes of the newest and of the one before are kept.
CREATE TABLE session (
    id            UUID   NOT NULL PRIMARY KEY,
    org           UUID   NOT NULL,
    member        UUID   NOT NULL,
    account       UUID   NOT NULL REFERENCES account (id),
    device        UUID   NOT NULL,
    generation    BIGINT NOT NULL,
    confirmed     BIGINT NOT NULL,
    current_hash  BYTEA  NOT NULL,
    previous_hash BYTEA,
    created_at    BIGINT NOT NULL,
    expires_at    BIGINT NOT NULL,
    ended_at      BIGINT,
    ended_reason  TEXT,
    FOREIGN KEY (org, member) REFERENCES member (org, id)
);
CREATE UNIQUE INDEX session_current ON session (current_hash);
CREATE INDEX session_previous ON session (previous_hash);
CREATE INDEX session_member ON session (org, member);

-- Set-up and invitation links: single use, expiring, kept only as a hash.
CREATE TABLE invitation (
    token_hash BYTEA  NOT NULL PRIMARY KEY,
    org        UUID,
    member     UUID,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);
