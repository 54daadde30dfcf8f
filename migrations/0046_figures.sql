-- What figures ask. Of enrolments: which rungs are done (bit n-1 of rung n), from which day the ladder is counted, and since
-- when it is as it is. Days are counted since 1970. Rows of before begin with the day they were made.
ALTER TABLE enrolment ADD COLUMN rungs_done BIGINT NOT NULL DEFAULT 0;
ALTER TABLE enrolment ADD COLUMN climbs_from BIGINT;
ALTER TABLE enrolment ADD COLUMN state_at BIGINT;
ALTER TABLE cycle ADD COLUMN starts_day BIGINT;
-- A picture that another replaced is not missed any more.
ALTER TABLE evidence ADD COLUMN superseded_by UUID;
