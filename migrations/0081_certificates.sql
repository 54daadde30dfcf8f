-- Certificates of staff, and each step of their lives: appended, never changed.
CREATE TABLE certificate (
    org        UUID   NOT NULL,
    id         UUID   NOT NULL,
    member     UUID   NOT NULL,
    name       TEXT   NOT NULL,
    issued_by  TEXT   NOT NULL,
    -- valid, or withdrawn; whether it has expired, the calendar says.
    state      TEXT   NOT NULL,
    -- Of the latest step, for reminders; YYYY-MM-DD, empty when it never expires.
    expires_on TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, member) REFERENCES member (org, id)
);
CREATE INDEX certificate_by_member ON certificate (org, member);
CREATE INDEX certificate_by_end ON certificate (org, expires_on) WHERE state = 'valid';

CREATE TABLE certificate_step (
    org         UUID   NOT NULL,
    certificate UUID   NOT NULL,
    sequence    BIGINT NOT NULL,
    -- add, renew or withdraw
    kind        TEXT   NOT NULL,
    number      TEXT   NOT NULL,
    issued_on   TEXT,
    expires_on  TEXT,
    reason      TEXT   NOT NULL,
    by_member   UUID   NOT NULL,
    at          BIGINT NOT NULL,
    PRIMARY KEY (org, certificate, sequence),
    FOREIGN KEY (org, certificate) REFERENCES certificate (org, id)
);

-- The server's own certificate, as it was last seen at its public address: the installation's, not an organisation's.
CREATE TABLE tls_certificate (
    url        TEXT   NOT NULL PRIMARY KEY,
    looked_at  BIGINT NOT NULL,
    expires_at BIGINT
);
