-- Why something was erased, in the words of who did it: sealed, and covered by the proof's signature.
ALTER TABLE erased ADD COLUMN reason TEXT;
