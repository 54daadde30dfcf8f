-- The audit of an organisation: its own signed chain over those of its feeds, what an erasure leaves, and reading it by time.

-- Of an event whose change was erased: what its hash covers of the change. Empty for events of the first version.
ALTER TABLE audit ADD COLUMN digest BYTEA;
CREATE INDEX audit_by_time ON audit (org, at);

-- How much of the feed's chain stands in the organisation's.
ALTER TABLE feed ADD COLUMN audit_sealed BIGINT NOT NULL DEFAULT 0;

CREATE TABLE audit_seal (
    org       UUID   NOT NULL REFERENCES organisation (id),
    sequence  BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    heads     TEXT   NOT NULL,
    hash      BYTEA  NOT NULL,
    signature BYTEA  NOT NULL,
    PRIMARY KEY (org, sequence)
);

-- Whose data was erased, why and when; the proof is signed by the server.
CREATE TABLE erased (
    org       UUID   NOT NULL REFERENCES organisation (id),
    subject   UUID   NOT NULL,
    kind      TEXT   NOT NULL,
    class     TEXT   NOT NULL,
    at        BIGINT NOT NULL,
    member    UUID,
    counts    TEXT   NOT NULL,
    signature BYTEA  NOT NULL,
    PRIMARY KEY (org, subject, at)
);
