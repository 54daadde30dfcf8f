-- What is taught, when and where it is taught, and who was there. Whole records stand in their feed entries: modules in the
-- organisation's, sessions in their village's.
CREATE TABLE training_module (
    org          UUID    NOT NULL REFERENCES organisation (id),
    id           UUID    NOT NULL,
    number       BIGINT  NOT NULL,
    prerequisite UUID,
    active       BOOLEAN NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, number),
    FOREIGN KEY (org, prerequisite) REFERENCES training_module (org, id)
);

CREATE TABLE training (
    org              UUID   NOT NULL,
    id               UUID   NOT NULL,
    feed             UUID   NOT NULL,
    module           UUID   NOT NULL,
    number           TEXT   COLLATE "C" NOT NULL,
    state            TEXT   NOT NULL,
    trainer          UUID   NOT NULL,
    starts_at        BIGINT NOT NULL,
    ends_at          BIGINT NOT NULL,
    -- Who planned it last, and when: whoever knows is not reminded at once.
    planned_by       UUID   NOT NULL,
    planned_at       BIGINT NOT NULL,
    -- The feed's revision then; tells one plan from the next.
    planned_revision BIGINT NOT NULL,
    created_at       BIGINT NOT NULL,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, feed) REFERENCES feed (org, id),
    FOREIGN KEY (org, module) REFERENCES training_module (org, id),
    FOREIGN KEY (org, trainer) REFERENCES member (org, id)
);
CREATE INDEX training_by_number ON training (org, number);
-- What reminders look for.
CREATE INDEX training_by_end ON training (org, ends_at);

CREATE TABLE training_seat (
    org       UUID   NOT NULL,
    training  UUID   NOT NULL,
    household UUID   NOT NULL,
    -- full, partial or absent; empty before somebody recorded it.
    presence  TEXT,
    PRIMARY KEY (org, training, household),
    FOREIGN KEY (org, training) REFERENCES training (org, id),
    FOREIGN KEY (org, household) REFERENCES household (org, id)
);
CREATE INDEX training_seat_by_household ON training_seat (org, household);
