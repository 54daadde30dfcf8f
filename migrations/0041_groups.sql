-- Business groups, who is in them, and how their businesses were seen to do. Whole records stand in the feed entries of
-- their village. Of an assessment, when in the household's way it was made.

ALTER TABLE assessment ADD COLUMN stage TEXT NOT NULL DEFAULT 'baseline';

CREATE TABLE business_group (
    org        UUID   NOT NULL,
    id         UUID   NOT NULL,
    feed       UUID   NOT NULL,
    programme  UUID   NOT NULL,
    number     TEXT   COLLATE "C" NOT NULL,
    state      TEXT   NOT NULL,
    health     TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, programme) REFERENCES programme (org, id),
    FOREIGN KEY (org, feed) REFERENCES feed (org, id)
);
CREATE INDEX business_group_by_state ON business_group (org, state, number);

-- Whoever left, or was in a group that was dissolved, stays as not active: so that what is written of the group can be
-- erased with them.
CREATE TABLE business_group_member (
    org            UUID    NOT NULL,
    business_group UUID    NOT NULL,
    household      UUID    NOT NULL,
    programme      UUID    NOT NULL,
    active         BOOLEAN NOT NULL,
    PRIMARY KEY (org, business_group, household),
    FOREIGN KEY (org, business_group) REFERENCES business_group (org, id),
    FOREIGN KEY (org, household) REFERENCES household (org, id)
);
CREATE INDEX business_group_member_by_household ON business_group_member (org, household);
CREATE UNIQUE INDEX business_group_member_once ON business_group_member (org, programme, household) WHERE active;

CREATE TABLE survey (
    org            UUID   NOT NULL,
    id             UUID   NOT NULL,
    feed           UUID   NOT NULL,
    business_group UUID   NOT NULL,
    kind           TEXT   NOT NULL,
    score          BIGINT,
    surveyed_at    BIGINT NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, business_group) REFERENCES business_group (org, id),
    FOREIGN KEY (org, feed) REFERENCES feed (org, id)
);
CREATE INDEX survey_by_group ON survey (org, business_group, kind, surveyed_at);
