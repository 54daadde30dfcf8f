-- For which household somebody signed, where several sign one record; none in signatures from before.
ALTER TABLE signature ADD COLUMN household UUID;
