-- Second steps of signing in, and which roles must have one.

-- Base32 of the shared secret, sealed. Without `totp_since` it was shown and not yet confirmed.
ALTER TABLE account ADD COLUMN totp_secret TEXT;
ALTER TABLE account ADD COLUMN totp_since BIGINT;
-- The newest time step that was used: a code is good once.
ALTER TABLE account ADD COLUMN totp_step BIGINT NOT NULL DEFAULT 0;
-- Of a password that an administrator reset: the next one must be another.
ALTER TABLE account ADD COLUMN reset_hash TEXT;

CREATE TABLE recovery_code (
    account UUID  NOT NULL REFERENCES account (id),
    hash    BYTEA NOT NULL,
    used_at BIGINT,
    PRIMARY KEY (account, hash)
);

-- Members of these roles sign in with a second step.
CREATE TABLE sign_in_rule (
    org  UUID NOT NULL REFERENCES organisation (id),
    role TEXT NOT NULL,
    PRIMARY KEY (org, role)
);
