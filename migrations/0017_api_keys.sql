-- Keys of other programs: kept as a hash, for some areas only, for a time.
CREATE TABLE api_key (
    org          UUID   NOT NULL REFERENCES organisation (id),
    id           UUID   NOT NULL,
    name         TEXT   NOT NULL,
    -- In whose name and within whose reach it acts.
    member       UUID   NOT NULL,
    hash         BYTEA  NOT NULL UNIQUE,
    -- As JSON: ["households:read"].
    scopes       TEXT   NOT NULL,
    created_by   UUID   NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at   BIGINT,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, member) REFERENCES member (org, id)
);
