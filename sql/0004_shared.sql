-- What several cores that write to one database at once need (storage mode db-only).

-- Rises with every claim: one is written only in place of the version that it was decided on, 0 where there was no row.
ALTER TABLE resource ADD COLUMN version bigint NOT NULL DEFAULT 1;

-- `is_shared`: the lease belongs to all cores that serve at once. They keep its epoch among them, and renew it together.
ALTER TABLE lease ADD COLUMN is_shared boolean NOT NULL DEFAULT false;

-- Cores that serve at once say so here, and where others reach them; those that wait do not.
ALTER TABLE node ADD COLUMN serves boolean NOT NULL DEFAULT false;
ALTER TABLE node ADD COLUMN address text COLLATE "C" NOT NULL DEFAULT '';

-- Which of them instructs the dialogs of a gateway group: the one that its gateways are connected to. `fence` rises when
-- that becomes another core.
CREATE TABLE gateway_session (
  shard integer NOT NULL,
  gateway_group text COLLATE "C" NOT NULL,
  core text COLLATE "C" NOT NULL,
  fence bigint NOT NULL,
  gateways text[] NOT NULL,
  PRIMARY KEY (shard, gateway_group)
);
