-- Grant policies, grants, acknowledgements and the ledger of what was committed and released. Whole records stand in their
-- feed entries: policies in the organisation's, the rest in the applicant's village.

ALTER TABLE programme ADD COLUMN budget_minor BIGINT;
-- The sums of the ledger, changed in the transaction that writes its entry, under this row's lock.
ALTER TABLE programme ADD COLUMN committed_minor BIGINT NOT NULL DEFAULT 0;
ALTER TABLE programme ADD COLUMN released_minor BIGINT NOT NULL DEFAULT 0;

CREATE TABLE policy (
    org       UUID    NOT NULL REFERENCES organisation (id),
    id        UUID    NOT NULL,
    programme UUID    NOT NULL,
    key       TEXT    NOT NULL,
    version   BIGINT  NOT NULL,
    active    BOOLEAN NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, programme, key),
    FOREIGN KEY (org, programme) REFERENCES programme (org, id)
);

-- What each version said: a phone that was offline for a month applies by the version it had.
CREATE TABLE policy_version (
    org     UUID   NOT NULL,
    id      UUID   NOT NULL,
    version BIGINT NOT NULL,
    facts   TEXT   NOT NULL,
    PRIMARY KEY (org, id, version),
    FOREIGN KEY (org, id) REFERENCES policy (org, id)
);

CREATE TABLE grant_file (
    org              UUID   NOT NULL,
    id               UUID   NOT NULL,
    feed             UUID   NOT NULL,
    programme        UUID   NOT NULL,
    policy           UUID   NOT NULL,
    policy_key       TEXT   NOT NULL,
    household        UUID,
    business_group   UUID,
    number           TEXT   COLLATE "C" NOT NULL,
    state            TEXT   NOT NULL,
    -- When it came into this state.
    state_at         BIGINT NOT NULL,
    amount_minor     BIGINT NOT NULL,
    submitted_by     UUID   NOT NULL,
    submitted_at     BIGINT NOT NULL,
    -- When the first part was acknowledged; empty again when none is.
    acknowledged_at  BIGINT,
    utilisation      TEXT,
    utilisation_due  TEXT,
    -- What waits for a time: an approved grant expires then.
    expires_at       BIGINT,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, programme) REFERENCES programme (org, id),
    FOREIGN KEY (org, policy) REFERENCES policy (org, id),
    FOREIGN KEY (org, feed) REFERENCES feed (org, id)
);
CREATE INDEX grant_file_by_state ON grant_file (org, state, number);
CREATE INDEX grant_file_by_feed ON grant_file (org, feed);
CREATE INDEX grant_file_by_expiry ON grant_file (expires_at);

-- For which households a grant was asked: itself, or the members of the group at that time.
CREATE TABLE grant_household (
    org       UUID NOT NULL,
    grant_id  UUID NOT NULL,
    household UUID NOT NULL,
    PRIMARY KEY (org, grant_id, household),
    FOREIGN KEY (org, grant_id) REFERENCES grant_file (org, id),
    FOREIGN KEY (org, household) REFERENCES household (org, id)
);
CREATE INDEX grant_household_by_household ON grant_household (org, household);

CREATE TABLE acknowledgement (
    org          UUID    NOT NULL,
    id           UUID    NOT NULL,
    feed         UUID    NOT NULL,
    grant_id     UUID    NOT NULL,
    tranche      UUID    NOT NULL,
    amount_minor BIGINT  NOT NULL,
    counted      BOOLEAN NOT NULL,
    recorded_by  UUID    NOT NULL,
    created_at   BIGINT  NOT NULL,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, grant_id) REFERENCES grant_file (org, id)
);
CREATE INDEX acknowledgement_by_grant ON acknowledgement (org, grant_id);

-- Reports on the use of a grant: only their ids, so that pictures of receipts find the grant.
CREATE TABLE utilisation (
    org      UUID NOT NULL,
    id       UUID NOT NULL,
    grant_id UUID NOT NULL,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, grant_id) REFERENCES grant_file (org, id)
);
CREATE INDEX utilisation_by_grant ON utilisation (org, grant_id);

-- Every movement of a programme's money, appended and never changed; amounts are positive, the kind says the direction:
-- commit and uncommit, release and reverse.
CREATE TABLE ledger (
    org          UUID   NOT NULL,
    id           UUID   NOT NULL,
    programme    UUID   NOT NULL,
    grant_id     UUID   NOT NULL,
    tranche      UUID,
    kind         TEXT   NOT NULL,
    amount_minor BIGINT NOT NULL,
    at           BIGINT NOT NULL,
    member       UUID,
    reference    TEXT   NOT NULL,
    reason       TEXT   NOT NULL,
    -- The entry that this one takes back.
    reverses     UUID,
    PRIMARY KEY (org, id),
    CHECK (amount_minor > 0),
    CHECK (kind IN ('commit', 'uncommit', 'release', 'reverse')),
    FOREIGN KEY (org, programme) REFERENCES programme (org, id),
    FOREIGN KEY (org, grant_id) REFERENCES grant_file (org, id)
);
CREATE INDEX ledger_by_grant ON ledger (org, grant_id, at);
CREATE INDEX ledger_by_programme ON ledger (org, programme, at);
CREATE UNIQUE INDEX ledger_reversed_once ON ledger (org, reverses);
