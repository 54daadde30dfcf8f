-- Roles that an organisation makes itself, the household of a beneficiary's account, and the modules that are on.

-- `levels` is JSON: module -> none, read, contribute, manage or approve.
CREATE TABLE custom_role (
    org    UUID NOT NULL REFERENCES organisation (id),
    id     UUID NOT NULL,
    name   TEXT NOT NULL,
    scope  TEXT NOT NULL,
    levels TEXT NOT NULL,
    PRIMARY KEY (org, id),
    UNIQUE (org, name)
);

ALTER TABLE member ADD COLUMN custom_role UUID;
ALTER TABLE member ADD COLUMN household UUID;

-- Modules that are on, with spaces between; new organisations have them all.
ALTER TABLE organisation ADD COLUMN modules TEXT NOT NULL DEFAULT 'households visits figures home';

-- Administers the installation: organisations and their first administrators, whatever the role in one of them.
ALTER TABLE account ADD COLUMN platform BOOLEAN NOT NULL DEFAULT FALSE;
-- Whoever set the installation up: the first account of all.
UPDATE account SET platform = TRUE WHERE id = (SELECT id FROM account ORDER BY created_at, id LIMIT 1);
