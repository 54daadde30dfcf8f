-- What is known of each device: whether it may still come in, how its clock stands, what it lost.

ALTER TABLE device ADD COLUMN revoked_at BIGINT;
ALTER TABLE device ADD COLUMN revoked_by UUID;
-- Milliseconds to add to the device's time, as it last said itself.
ALTER TABLE device ADD COLUMN clock_offset BIGINT;
-- When it last told how it is doing (`stats`).
ALTER TABLE device ADD COLUMN reported_at BIGINT;

-- Since when the phone no longer says that it holds the picture.
ALTER TABLE capture ADD COLUMN dropped_at BIGINT;

-- A sealed upload: its bytes are opened with this once they are complete. Goes with its upload.
CREATE TABLE upload_sealed (
    org    UUID NOT NULL,
    upload UUID NOT NULL,
    sealed TEXT NOT NULL,
    PRIMARY KEY (org, upload)
);

-- Items of a sealed outbox that nobody can vouch for; an administrator sees them. Still sealed to this server's key.
CREATE TABLE outbox_kept (
    org      UUID   NOT NULL REFERENCES organisation (id),
    id       UUID   NOT NULL,
    member   TEXT   NOT NULL,
    device   TEXT   NOT NULL,
    code     TEXT   NOT NULL,
    item     TEXT   NOT NULL,
    at       BIGINT NOT NULL,
    PRIMARY KEY (org, id)
);

-- Feeds that a member followed until then. What was made before its device heard of the change still arrives.
CREATE TABLE member_feed_past (
    org     UUID   NOT NULL,
    member  UUID   NOT NULL,
    feed    UUID   NOT NULL,
    ended_at BIGINT NOT NULL,
    PRIMARY KEY (org, member, feed),
    FOREIGN KEY (org, member) REFERENCES member (org, id)
);

-- When a device was last told that a feed is gone.
CREATE TABLE feed_gone (
    org     UUID   NOT NULL,
    member  UUID   NOT NULL,
    device  UUID   NOT NULL,
    feed    UUID   NOT NULL,
    told_at BIGINT NOT NULL,
    PRIMARY KEY (org, member, device, feed)
);

-- What a device says it lost (its browser removed the database), named as far as it knows. `items` is sealed.
CREATE TABLE device_loss (
    org          UUID   NOT NULL,
    id           UUID   NOT NULL,
    device       UUID   NOT NULL,
    member       UUID   NOT NULL,
    noticed_at   BIGINT NOT NULL,
    last_sync_at BIGINT,
    records      BIGINT NOT NULL,
    captures     BIGINT NOT NULL,
    drafts       BIGINT NOT NULL,
    items        TEXT   NOT NULL,
    reported_at  BIGINT NOT NULL,
    PRIMARY KEY (org, id),
    FOREIGN KEY (org, member) REFERENCES member (org, id)
);
CREATE INDEX device_loss_by_device ON device_loss (org, device);
