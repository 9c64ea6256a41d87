DROP TABLE gateway_session;
ALTER TABLE node DROP COLUMN address;
ALTER TABLE node DROP COLUMN serves;
ALTER TABLE lease DROP COLUMN is_shared;
ALTER TABLE resource DROP COLUMN version;
