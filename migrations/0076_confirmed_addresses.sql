-- An address is used once its owner showed that messages reach them: 'code'; an administrator may vouch for one:
-- 'vouched'. Those that were in use before are 'before'.
ALTER TABLE told ADD COLUMN email_confirmed TEXT;
ALTER TABLE told ADD COLUMN phone_confirmed TEXT;
UPDATE told SET email_confirmed = 'before' WHERE email IS NOT NULL;
UPDATE told SET phone_confirmed = 'before' WHERE phone IS NOT NULL;

-- The code on its way to an address, as a keyed hash, and how often one was sent: that is counted over all addresses of a
-- person, so that nobody is written to without end.
CREATE TABLE told_code (
    org        UUID   NOT NULL,
    member     UUID   NOT NULL,
    channel    TEXT   NOT NULL,
    -- Empty when it was used, or the address is another one.
    code       BYTEA,
    expires_at BIGINT NOT NULL,
    -- Wrong ones that were tried.
    tries      BIGINT NOT NULL,
    -- In the last day.
    sent       BIGINT NOT NULL,
    sent_at    BIGINT NOT NULL,
    PRIMARY KEY (org, member, channel),
    FOREIGN KEY (org, member) REFERENCES member (org, id)
);
