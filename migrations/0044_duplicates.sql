-- Households that may be the same people, what was decided of them, and into which one a household was merged.
ALTER TABLE household ADD COLUMN merged_into UUID;
CREATE INDEX household_merged ON household (org, merged_into) WHERE merged_into IS NOT NULL;

-- `one` is the smaller id. `rank` is the score, and above all scores where the national id is the same.
CREATE TABLE duplicate (
    org         UUID    NOT NULL REFERENCES organisation (id),
    one         UUID    NOT NULL,
    other       UUID    NOT NULL,
    rank        BIGINT  NOT NULL,
    score       BIGINT  NOT NULL,
    name_score  BIGINT  NOT NULL,
    sound_score BIGINT  NOT NULL,
    birth_score BIGINT  NOT NULL,
    place_score BIGINT  NOT NULL,
    same_id     BOOLEAN NOT NULL,
    state       TEXT    NOT NULL,
    found_at    BIGINT  NOT NULL,
    decided_by  UUID,
    decided_at  BIGINT,
    PRIMARY KEY (org, one, other)
);
CREATE INDEX duplicate_by_rank ON duplicate (org, state, rank);
CREATE INDEX duplicate_by_other ON duplicate (org, other);

-- Households that are to be compared with all others. `mark` is another one each time: what changes while they are
-- compared is compared again.
CREATE TABLE duplicate_look (
    org       UUID NOT NULL REFERENCES organisation (id),
    household UUID NOT NULL,
    mark      UUID NOT NULL,
    PRIMARY KEY (org, household)
);
INSERT INTO duplicate_look (org, household, mark) SELECT org, id, id FROM household;
