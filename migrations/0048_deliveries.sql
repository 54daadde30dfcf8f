-- How what stands in an inbox reaches its person outside of the app, and how they want to be told.

-- What it is about, for the link; and which event it tells of, so that it is told once.
ALTER TABLE inbox ADD COLUMN subject_kind TEXT;
ALTER TABLE inbox ADD COLUMN event TEXT;
CREATE UNIQUE INDEX inbox_once ON inbox (org, member, event);
CREATE INDEX inbox_by_subject ON inbox (org, subject, kind);
CREATE INDEX inbox_unread ON inbox (org, created_at) WHERE read_at IS NULL;

-- One row for each way: an e-mail, a text message, a push to one device (its address is the target).
CREATE TABLE delivery (
    org        UUID   NOT NULL,
    id         UUID   NOT NULL,
    inbox      UUID   NOT NULL,
    member     UUID   NOT NULL,
    channel    TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    -- waiting, sent, unneeded, gone, failed, noted
    state      TEXT   NOT NULL,
    reason     TEXT,
    attempts   BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    settled_at BIGINT,
    PRIMARY KEY (org, id),
    UNIQUE (org, inbox, channel, target),
    FOREIGN KEY (org, inbox) REFERENCES inbox (org, id) ON DELETE CASCADE
);
CREATE INDEX delivery_waiting ON delivery (org, member, channel, target) WHERE state = 'waiting';

-- A person's own wishes; addresses are sealed. Quiet hours are minutes after midnight where the organisation is.
CREATE TABLE told (
    org         UUID   NOT NULL,
    member      UUID   NOT NULL,
    language    TEXT,
    quiet_from  BIGINT,
    quiet_until BIGINT,
    email       BYTEA,
    phone       BYTEA,
    PRIMARY KEY (org, member),
    FOREIGN KEY (org, member) REFERENCES member (org, id)
);

-- Of kinds for which they chose otherwise than the registry says: the channels, with spaces between.
CREATE TABLE told_kind (
    org      UUID NOT NULL,
    member   UUID NOT NULL,
    kind     TEXT NOT NULL,
    channels TEXT NOT NULL,
    PRIMARY KEY (org, member, kind),
    FOREIGN KEY (org, member) REFERENCES member (org, id)
);

-- What reminders look for.
CREATE INDEX visit_by_plan ON visit (org, planned_at) WHERE state = 'planned';
ALTER TABLE conflict ADD COLUMN opened_at BIGINT NOT NULL DEFAULT 0;
