-- What the server measured of a picture and does not send to phones: its likeness, to find near duplicates in the same
-- village, and when and where the camera says it was taken (sealed).
ALTER TABLE evidence ADD COLUMN likeness BIGINT;
ALTER TABLE evidence ADD COLUMN exif TEXT;
CREATE INDEX evidence_by_likeness ON evidence (org, feed, captured_at) WHERE likeness IS NOT NULL;
