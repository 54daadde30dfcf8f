-- Consents that households gave and withdrew: appended, never changed. The household's record tells the same to phones.
CREATE TABLE consent (
    org       UUID   NOT NULL,
    -- Of a withdrawal: the consent that it ends.
    id        UUID   NOT NULL,
    household UUID   NOT NULL,
    event     TEXT   NOT NULL,
    purpose   TEXT   NOT NULL,
    version   BIGINT,
    language  TEXT,
    signature UUID,
    picture   UUID,
    member    UUID   NOT NULL,
    -- The device's time, and the server's.
    made_at   BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (org, id, event),
    FOREIGN KEY (org, household) REFERENCES household (org, id)
);
CREATE INDEX consent_by_household ON consent (org, household, at);
