-- The cores that wait to become the owner of a shard. An owner that is alone goes on while the database is away from
-- everybody; one that is awaited falls silent before its lease ends.
CREATE TABLE node (
  shard integer NOT NULL,
  name text COLLATE "C" NOT NULL,
  seen_at timestamptz NOT NULL,
  PRIMARY KEY (shard, name)
);
