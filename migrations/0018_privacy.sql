-- Keys that seal personal data, wrapped by the installation's secret; and how long what is not needed is kept.
CREATE TABLE data_key (
    id       BIGINT NOT NULL PRIMARY KEY,
    wrapped  TEXT   NOT NULL,
    made_at  BIGINT NOT NULL,
    -- From when on it seals: until then every copy of the server has learnt of it.
    use_from BIGINT NOT NULL
);

-- Without a row, a class has its default. 0 days: kept until somebody erases it.
CREATE TABLE retention (
    org   UUID   NOT NULL REFERENCES organisation (id),
    class TEXT   NOT NULL,
    days  BIGINT NOT NULL,
    PRIMARY KEY (org, class)
);
CREATE INDEX erased_time ON erased (org, at);
