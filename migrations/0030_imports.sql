-- Places and households from a file: what was sent, what was found in it, what was made of it, and how it is undone.

CREATE TABLE import (
    org           UUID    NOT NULL REFERENCES organisation (id),
    id            UUID    NOT NULL,
    kind          TEXT    NOT NULL,
    file          TEXT    NOT NULL,
    state         TEXT    NOT NULL,
    member        UUID    NOT NULL,
    device        UUID    NOT NULL,
    created_at    BIGINT  NOT NULL,
    updated_at    BIGINT  NOT NULL,
    rows_total    BIGINT  NOT NULL,
    done          BIGINT  NOT NULL DEFAULT 0,
    total         BIGINT  NOT NULL DEFAULT 0,
    create_places BOOLEAN NOT NULL DEFAULT FALSE,
    -- Headers, the fields they mean, and a few values: sealed.
    columns       BYTEA   NOT NULL,
    -- JSON: {"row": take?} where a person decided otherwise than proposed.
    decisions     TEXT    NOT NULL DEFAULT '{}',
    counts        TEXT,
    -- Faults and possible duplicates: sealed. Gone once it is done.
    report        BYTEA,
    fault         TEXT,
    -- The job that works on it: none left means that it was interrupted for good.
    job           TEXT,
    PRIMARY KEY (org, id)
);
CREATE INDEX import_by_time ON import (org, created_at);

-- The file itself, sealed and in pieces; gone once it is done, given up or a week old.
CREATE TABLE import_piece (
    org    UUID   NOT NULL,
    import UUID   NOT NULL,
    n      BIGINT NOT NULL,
    body   BYTEA  NOT NULL,
    PRIMARY KEY (org, import, n),
    FOREIGN KEY (org, import) REFERENCES import (org, id)
);

-- What an import made, at which revision: what has another revision since was touched.
CREATE TABLE import_item (
    org       UUID   NOT NULL,
    import    UUID   NOT NULL,
    id        UUID   NOT NULL,
    kind      TEXT   NOT NULL,
    feed      UUID   NOT NULL,
    revision  BIGINT NOT NULL,
    -- Keyed hash of the registry's own number, so that the same row is not taken twice.
    reference BYTEA,
    PRIMARY KEY (org, import, id),
    FOREIGN KEY (org, import) REFERENCES import (org, id)
);
CREATE INDEX import_item_reference ON import_item (org, reference);

-- What an organisation said that a header means, remembered for its next file.
CREATE TABLE import_alias (
    org    UUID NOT NULL REFERENCES organisation (id),
    kind   TEXT NOT NULL,
    header TEXT NOT NULL,
    field  TEXT NOT NULL,
    PRIMARY KEY (org, kind, header)
);
