-- Several organisations in one installation: who belongs to which first, how many they may be, what they show of themselves.

-- Where the account begins when it signs in: one of its memberships.
ALTER TABLE member ADD COLUMN main BOOLEAN NOT NULL DEFAULT TRUE;
-- Whether the invitation was accepted. Somebody of another organisation is not here before they said so.
ALTER TABLE member ADD COLUMN joined BOOLEAN NOT NULL DEFAULT TRUE;
-- Active members an organisation may have; empty: as the setting says.
ALTER TABLE organisation ADD COLUMN member_limit BIGINT;
CREATE INDEX member_by_account ON member (account);

-- Visits that went to another mentor: what the first made of them before still arrives.
CREATE TABLE visit_handed (
    org    UUID   NOT NULL,
    visit  UUID   NOT NULL,
    member UUID   NOT NULL,
    at     BIGINT NOT NULL,
    PRIMARY KEY (org, visit, member),
    FOREIGN KEY (org, visit) REFERENCES visit (org, id)
);
