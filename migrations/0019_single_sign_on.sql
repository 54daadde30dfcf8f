-- Signing in by the organisation's own identity provider (OpenID Connect).
CREATE TABLE oidc_identity (
    issuer  TEXT   NOT NULL,
    subject TEXT   NOT NULL,
    account UUID   NOT NULL REFERENCES account (id),
    since   BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);

-- A sign-in that has begun: used once, within ten minutes, on the device where it began.
CREATE TABLE oidc_attempt (
    state_hash BYTEA  NOT NULL PRIMARY KEY,
    nonce      TEXT   NOT NULL,
    verifier   TEXT   NOT NULL,
    device     UUID   NOT NULL,
    expires_at BIGINT NOT NULL
);
