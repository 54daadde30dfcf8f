-- Programmes, their cycles, what households were found eligible for, and who takes part. Whole records stand in their
-- feed entries: programmes and cycles in the organisation's, assessments and enrolments in the household's place.

CREATE TABLE programme (
    org    UUID   NOT NULL REFERENCES organisation (id),
    id     UUID   NOT NULL,
    code   TEXT   NOT NULL,
    status TEXT   NOT NULL,
    -- How many households may take part, and how many places are taken: changed together with an enrolment's state.
    target BIGINT,
    taken  BIGINT NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, code)
);

CREATE TABLE cycle (
    org       UUID NOT NULL,
    id        UUID NOT NULL,
    programme UUID NOT NULL,
    code      TEXT NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, programme, code),
    FOREIGN KEY (org, programme) REFERENCES programme (org, id)
);

CREATE TABLE assessment (
    org           UUID   NOT NULL,
    id            UUID   NOT NULL,
    feed          UUID   NOT NULL,
    household     UUID   NOT NULL,
    programme     UUID   NOT NULL,
    instrument    TEXT   NOT NULL,
    version       BIGINT NOT NULL,
    score         BIGINT NOT NULL,
    qualification TEXT   NOT NULL,
    assessed_by   UUID   NOT NULL,
    created_at    BIGINT NOT NULL,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, household) REFERENCES household (org, id),
    FOREIGN KEY (org, programme) REFERENCES programme (org, id),
    FOREIGN KEY (org, feed) REFERENCES feed (org, id)
);
CREATE INDEX assessment_by_household ON assessment (org, household, programme);

CREATE TABLE enrolment (
    org        UUID   NOT NULL,
    id         UUID   NOT NULL,
    feed       UUID   NOT NULL,
    household  UUID   NOT NULL,
    programme  UUID   NOT NULL,
    cycle      UUID,
    mentor     UUID   NOT NULL,
    assessment UUID   NOT NULL,
    number     TEXT   COLLATE "C" NOT NULL,
    state      TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, household) REFERENCES household (org, id),
    FOREIGN KEY (org, programme) REFERENCES programme (org, id),
    FOREIGN KEY (org, assessment) REFERENCES assessment (org, id),
    FOREIGN KEY (org, feed) REFERENCES feed (org, id)
);
CREATE INDEX enrolment_by_household ON enrolment (org, household, programme);
CREATE INDEX enrolment_by_state ON enrolment (org, state, number);
