-- What a list shows of a household, as JSON: a page of them is joined from one table, and holds no id and no phone number.
-- Empty in rows older than this column; the server fills those when it starts.
ALTER TABLE household ADD COLUMN card TEXT NOT NULL DEFAULT '';
