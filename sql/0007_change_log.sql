-- What was changed when, for people who ask afterwards; written only while `history.retention` is above 0. A row is
-- written in the commit of the change. Nothing here is read by presence-core.
CREATE TABLE change_log (
  shard integer NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  presentity text COLLATE "C" NOT NULL,
  event text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,     -- the table of the row that changed: publication, subscription, watcher_decision, document
  subject text COLLATE "C" NOT NULL,  -- and which row: id of the publication or subscription, the watcher, the name
  is_removed boolean NOT NULL,
  etag text COLLATE "C",              -- of the publication from now on
  state smallint,                     -- of the subscription, or what was decided
  epoch bigint,                       -- the revision that this gave the resource; null where watchers see no difference
  seq bigint
) PARTITION BY RANGE (changed_at);
CREATE INDEX change_log_of_resource ON change_log (shard, presentity, event, changed_at);

-- Rows of a day for which there is no partition: no commit fails for want of one.
CREATE TABLE change_log_rest PARTITION OF change_log DEFAULT;

-- Makes the partitions of today and of so many days after it. A partition is made aside and then attached, which
-- hinders nobody who writes to another day.
CREATE FUNCTION extend_change_log(days integer) RETURNS void LANGUAGE plpgsql
SET lock_timeout = '100ms' SET timezone = 'UTC' AS $function$
DECLARE
  first_day date := clock_timestamp()::date;
  name text;
BEGIN
  FOR i IN 0..days LOOP
    name := 'change_log_' || to_char(first_day + i, 'YYYYMMDD');
    CONTINUE WHEN to_regclass('presence.' || name) IS NOT NULL;
    BEGIN
      EXECUTE format('CREATE TABLE presence.%I (LIKE presence.change_log INCLUDING DEFAULTS INCLUDING INDEXES)', name);
      EXECUTE format('ALTER TABLE presence.change_log ATTACH PARTITION presence.%I FOR VALUES FROM (%L) TO (%L)',
                     name, first_day + i, first_day + i + 1);
    EXCEPTION WHEN check_violation THEN
      NULL;  -- the rest has rows of that day already: it keeps the day
    END;
  END LOOP;
END
$function$;

-- Drops the partitions that have no row from `before` on, and what else is older. Whoever still reads makes it fail
-- after a moment; waiting for longer would have all commits wait behind it.
CREATE FUNCTION trim_change_log(before timestamptz) RETURNS void LANGUAGE plpgsql
SET lock_timeout = '100ms' SET timezone = 'UTC' AS $function$
DECLARE
  name text;
BEGIN
  FOR name IN
    SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'presence.change_log'::regclass AND c.relname ~ '^change_log_[0-9]{8}$'
      AND to_date(right(c.relname, 8), 'YYYYMMDD') + 1 <= before
  LOOP
    EXECUTE format('DROP TABLE presence.%I', name);
  END LOOP;
  DELETE FROM presence.change_log_rest WHERE changed_at < before;
END
$function$;
