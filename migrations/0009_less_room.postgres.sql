-- Records and signed texts are kept packed (docs/adr/0011). What is there stays readable as it is, and is packed when it
-- changes next.
ALTER TABLE feed_entry ALTER COLUMN body TYPE BYTEA USING convert_to(body, 'UTF8');
ALTER TABLE signature ALTER COLUMN record TYPE BYTEA USING convert_to(record, 'UTF8');
-- As SQLite has it: rows joined by the database travel as text.
CREATE FUNCTION hex(BYTEA) RETURNS TEXT LANGUAGE SQL IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT encode($1, 'hex') $$;

-- Nothing asks for it.
DROP INDEX command_log_member;
-- The hash of the event before is not kept a second time: whoever follows the chain has it at hand.
ALTER TABLE audit DROP COLUMN previous;
