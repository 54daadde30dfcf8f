-- A page of households is found in this index alone; only the rows that are shown are read.
DROP INDEX household_by_name;
CREATE INDEX household_by_name ON household (org, name_key, number, feed);
