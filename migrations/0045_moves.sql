-- Where a household lived before, and from which revision on that feed no longer holds it: what was made there before
-- its phone heard of it still arrives.
CREATE TABLE household_moved (
    org       UUID   NOT NULL,
    household UUID   NOT NULL,
    feed      UUID   NOT NULL,
    revision  BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    member    UUID   NOT NULL,
    PRIMARY KEY (org, household, feed, revision),
    FOREIGN KEY (org, household) REFERENCES household (org, id)
);
