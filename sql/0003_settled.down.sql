ALTER TABLE lease DROP COLUMN settled_since, DROP COLUMN is_ahead;
ALTER TABLE resource DROP COLUMN settled_seq;
