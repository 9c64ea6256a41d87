-- Documents that stay until their owner takes them away: hard state (kind 2), which lies beneath everything published
-- (RFC 4827). The kinds are those of presence.v1.RulesKind. `etag` names exactly this content.
CREATE TABLE document (
  shard integer NOT NULL,
  presentity text COLLATE "C" NOT NULL,
  event text COLLATE "C" NOT NULL,
  kind smallint NOT NULL,
  name text COLLATE "C" NOT NULL,
  etag text COLLATE "C" NOT NULL,
  content_type text COLLATE "C" NOT NULL,
  body bytea NOT NULL CHECK (octet_length(body) <= 1048576),
  file_uri text COLLATE "C" NOT NULL DEFAULT '',
  created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shard, presentity, event, kind, name)
);
