-- The tables of presence-core. Every key leads with `shard`: the number of a slice of all resources, owned by one
-- process at a time. It is hash(resource) % (rows of lease); nothing joins across shards.
--
-- Text is UTF-8 without control characters, proven before it gets here, and compares by its bytes.
-- Deadlines are absolute, by this database's clock.

-- Who owns a shard. A commit takes its row FOR KEY SHARE; a takeover changes the epoch, a column of a unique
-- index, so the two exclude each other: after a takeover nothing of the old owner is committed any more.
CREATE TABLE lease (
  shard integer NOT NULL CHECK (shard >= 0),
  epoch bigint NOT NULL DEFAULT 0,
  node text COLLATE "C" NOT NULL DEFAULT '',
  address text COLLATE "C" NOT NULL DEFAULT '',
  expires_at timestamptz NOT NULL DEFAULT 'epoch',
  PRIMARY KEY (shard),
  UNIQUE (shard, epoch)
);

-- A presentity's state of one event package.
CREATE TABLE resource (
  shard integer NOT NULL,
  presentity text COLLATE "C" NOT NULL,
  event text COLLATE "C" NOT NULL,
  epoch bigint NOT NULL,
  seq bigint NOT NULL,
  next_ordinal bigint NOT NULL,
  last_cause smallint NOT NULL,
  last_sender text COLLATE "C" NOT NULL,
  PRIMARY KEY (shard, presentity, event)
);

CREATE TABLE publication (
  shard integer NOT NULL,
  presentity text COLLATE "C" NOT NULL,
  event text COLLATE "C" NOT NULL,
  id bigint NOT NULL,
  etag text COLLATE "C" NOT NULL,
  content_type text COLLATE "C" NOT NULL,
  body bytea NOT NULL CHECK (octet_length(body) <= 1048576),
  expires_at timestamptz NOT NULL,
  received_at timestamptz NOT NULL,
  priority integer NOT NULL,
  sender text COLLATE "C" NOT NULL,
  first_request bytea NOT NULL,
  last_request bytea NOT NULL,
  origin bytea NOT NULL,
  granted_ms bigint NOT NULL,
  is_answer_delivered boolean NOT NULL,
  PRIMARY KEY (shard, presentity, event, id),
  UNIQUE (shard, presentity, event, etag)
);

-- `id` is our tag of the dialog, and it carries the hash of the resource: a request in a dialog finds its shard.
CREATE TABLE subscription (
  shard integer NOT NULL,
  presentity text COLLATE "C" NOT NULL,
  event text COLLATE "C" NOT NULL,
  id text COLLATE "C" NOT NULL,
  ordinal bigint NOT NULL,
  is_winfo boolean NOT NULL,
  event_id text COLLATE "C" NOT NULL,
  watcher text COLLATE "C" NOT NULL,
  alias text COLLATE "C",
  state smallint NOT NULL,
  reason smallint NOT NULL,
  expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL,
  call_id text COLLATE "C" NOT NULL,
  remote_tag text COLLATE "C" NOT NULL,
  local_uri text COLLATE "C" NOT NULL,
  remote_uri text COLLATE "C" NOT NULL,
  remote_target text COLLATE "C" NOT NULL,
  route_set text COLLATE "C" NOT NULL,
  gateway text COLLATE "C" NOT NULL,
  flow text COLLATE "C" NOT NULL,
  flow_gateway text COLLATE "C" NOT NULL,
  local_contact text COLLATE "C" NOT NULL,
  user_agent text COLLATE "C" NOT NULL,
  remote_cseq bigint NOT NULL,
  cseq_limit bigint NOT NULL,
  is_authorized boolean NOT NULL,
  was_approved boolean NOT NULL,
  last_request bytea NOT NULL,
  granted_ms bigint NOT NULL,
  PRIMARY KEY (shard, id)
);
CREATE INDEX subscription_of_resource ON subscription (shard, presentity, event, ordinal);

-- What a presentity decided about a watcher, and watchers that wait for a decision.
CREATE TABLE watcher_decision (
  shard integer NOT NULL,
  presentity text COLLATE "C" NOT NULL,
  event text COLLATE "C" NOT NULL,
  watcher text COLLATE "C" NOT NULL,
  decision smallint NOT NULL,
  waits_until timestamptz NOT NULL,
  ordinal bigint NOT NULL,
  PRIMARY KEY (shard, presentity, event, watcher)
);

-- Answers to requests that left no row to remember them by: a repeated request gets the same answer.
CREATE TABLE tombstone (
  shard integer NOT NULL,
  presentity text COLLATE "C" NOT NULL,
  event text COLLATE "C" NOT NULL,
  request bytea NOT NULL,
  content bytea NOT NULL,
  etag text COLLATE "C" NOT NULL,
  granted_ms bigint NOT NULL,
  kept_until timestamptz NOT NULL,
  PRIMARY KEY (shard, presentity, event, request)
);
