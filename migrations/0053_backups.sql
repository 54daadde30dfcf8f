-- What became of each backup that was made: of the installation, not of one organisation. The backups themselves say what
-- is in them; this is for people who look whether there are any.
CREATE TABLE backup_run (
    id         UUID   NOT NULL PRIMARY KEY,
    started_at BIGINT NOT NULL,
    ended_at   BIGINT,
    -- running, done or failed.
    state      TEXT   NOT NULL,
    -- The backup's name, how much it holds, and how much of that was new.
    name       TEXT,
    bytes      BIGINT,
    written    BIGINT,
    objects    BIGINT,
    missing    BIGINT,
    -- Why it failed, for whoever runs the server.
    error      TEXT
);
CREATE INDEX backup_run_by_time ON backup_run (started_at);
