-- What reads Kamailio's tables `presentity`, `active_watchers` and `watchers` reads these views instead: their columns
-- and types, without the caps on length. Their names are configured, so a view is made, renamed and taken away by
-- place_view(). They are for reading: state is changed by its owner only.

-- A URI of "user@host": AddressOfRecord::Uri().
CREATE FUNCTION uri_of(address text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $function$
  SELECT CASE
    WHEN right(address, 4) = '@tel' THEN 'tel:' || left(address, -4)
    WHEN address ~ '^[-A-Za-z0-9_.!~*''()&=+$,;?/]*@[^@]*$' THEN 'sip:' || address
    ELSE 'sip:' || (
      SELECT string_agg(CASE WHEN chr(byte) ~ '[-A-Za-z0-9_.!~*''()&=+$,;?/]' THEN chr(byte)
                             ELSE '%' || upper(lpad(to_hex(byte), 2, '0')) END, '' ORDER BY i)
      FROM (SELECT i, get_byte(convert_to(substring(address FROM '^(.*)@[^@]*$'), 'UTF8'), i) AS byte
            FROM generate_series(0, octet_length(substring(address FROM '^(.*)@[^@]*$')) - 1) AS i) AS bytes)
      || substring(address FROM '@[^@]*$')
  END
$function$;

CREATE FUNCTION user_of(address text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $function$
  SELECT substring(address FROM '^(.*)@[^@]*$')
$function$;

CREATE FUNCTION domain_of(address text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $function$
  SELECT substring(address FROM '[^@]*$')
$function$;

-- The same of a URI as it came in a From or To; empty where it has none.
CREATE FUNCTION user_of_uri(uri text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $function$
  SELECT coalesce(substring(uri FROM '(?i)sips?:([^@>:]*)[^@>]*@'), substring(uri FROM '(?i)tel:([^;>]*)'), '')
$function$;

CREATE FUNCTION domain_of_uri(uri text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $function$
  SELECT coalesce(substring(uri FROM '(?i)sips?:(?:[^@>]*@)?(\[[^]]*\]|[^]\[:;?>]*)'), '')
$function$;

CREATE FUNCTION unix_seconds(t timestamptz) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $function$
  SELECT CASE WHEN t < '2038-01-19 03:14:07+00' THEN greatest(floor(extract(epoch FROM t)), 0)::integer
              ELSE 2147483647 END
$function$;

-- An `id` as the layout wants it, always the same for a row. Two rows may share one, so it is no key.
CREATE FUNCTION number_of(key text) RETURNS integer LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $function$
  SELECT ('x' || left(md5(key), 8))::bit(32)::integer & 2147483647
$function$;

-- RFC 6665 section 4.1.3.
CREATE FUNCTION reason_text(reason smallint) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $function$
  SELECT coalesce((ARRAY['deactivated', 'probation', 'rejected', 'timeout', 'giveup', 'noresource', 'invariant'])[reason],
                  '')
$function$;

CREATE FUNCTION view_text(kind text) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $function$
  SELECT CASE kind
    WHEN 'presentity' THEN $view$
      SELECT presence.number_of(presentity || ' ' || event || ' ' || id) AS id,
             presence.user_of(presentity)::varchar AS username,
             presence.domain_of(presentity)::varchar AS domain,
             event::varchar AS event,
             etag::varchar AS etag,
             presence.unix_seconds(expires_at) AS expires,
             presence.unix_seconds(received_at) AS received_time,
             body,
             sender::varchar AS sender,
             priority,
             (left(md5(presentity || ' ' || event), 16) || '-' || to_hex(id))::varchar AS ruid
      FROM presence.publication
    $view$
    WHEN 'active_watchers' THEN $view$
      SELECT presence.number_of(id) AS id,
             presence.uri_of(presentity)::varchar AS presentity_uri,
             presence.user_of(watcher)::varchar AS watcher_username,
             presence.domain_of(watcher)::varchar AS watcher_domain,
             presence.user_of_uri(local_uri)::varchar AS to_user,
             presence.domain_of_uri(local_uri)::varchar AS to_domain,
             (event || CASE WHEN is_winfo THEN '.winfo' ELSE '' END)::varchar AS event,
             event_id::varchar AS event_id,
             coalesce(nullif(adopted_tag, ''), id)::varchar AS to_tag,
             remote_tag::varchar AS from_tag,
             call_id::varchar AS callid,
             least(cseq_limit, 2147483647)::integer AS local_cseq,
             least(remote_cseq, 2147483647)::integer AS remote_cseq,
             remote_target::varchar AS contact,
             replace(route_set, E'\n', ',')::text AS record_route,
             presence.unix_seconds(expires_at) AS expires,
             state::integer AS status,
             presence.reason_text(reason)::varchar AS reason,
             least(cseq_limit, 2147483647)::integer AS version,
             coalesce(nullif(flow_gateway, ''), gateway)::varchar AS socket_info,
             local_contact::varchar AS local_contact,
             presence.user_of_uri(remote_uri)::varchar AS from_user,
             presence.domain_of_uri(remote_uri)::varchar AS from_domain,
             -1 AS updated,
             -1 AS updated_winfo,
             0 AS flags,
             user_agent::varchar AS user_agent
      FROM presence.subscription
      WHERE state <> 3
    $view$
    WHEN 'watchers' THEN $view$
      SELECT presence.number_of(presentity || ' ' || event || ' ' || watcher) AS id,
             presence.uri_of(presentity)::varchar AS presentity_uri,
             presence.user_of(watcher)::varchar AS watcher_username,
             presence.domain_of(watcher)::varchar AS watcher_domain,
             event::varchar AS event,
             coalesce(min(state), max(decided))::integer AS status,
             CASE WHEN min(state) IS NULL AND max(decided) = 3 THEN 'rejected' ELSE '' END::varchar AS reason,
             coalesce(presence.unix_seconds(min(created_at)), 0) AS inserted_time
      FROM (SELECT shard, presentity, event, watcher, state, NULL::integer AS decided, created_at
            FROM presence.subscription
            WHERE state <> 3 AND NOT is_winfo
            UNION ALL
            SELECT shard, presentity, event, watcher, NULL, CASE decision WHEN 1 THEN 1 WHEN 2 THEN 3 ELSE 4 END, NULL
            FROM presence.watcher_decision) AS known
      GROUP BY shard, presentity, event, watcher
    $view$
  END
$function$;

CREATE FUNCTION refuse_write() RETURNS trigger LANGUAGE plpgsql AS $function$
BEGIN
  RAISE EXCEPTION 'the view % is for reading: presence-core would neither see nor tell what is written there', TG_TABLE_NAME
    USING ERRCODE = 'feature_not_supported',
          HINT = 'Call Publish, Subscribe, ApproveWatcher or BlockWatcher of presence-core, or use presencectl.';
END
$function$;

-- Makes the view of this kind, or gives it another name: "name" in this schema, or "schema.name". Empty takes it away.
-- A view that is renamed keeps whom it was granted to. A view is known by the trigger that guards it.
CREATE FUNCTION place_view(kind text, place text) RETURNS void LANGUAGE plpgsql AS $function$
DECLARE
  wanted text[] := CASE WHEN place = '' THEN NULL ELSE parse_ident(place) END;
  wanted_schema text := CASE WHEN cardinality(wanted) > 1 THEN wanted[1] ELSE 'presence' END;
  wanted_name text := wanted[cardinality(wanted)];
  found_schema text;
  found_name text;
BEGIN
  SELECT n.nspname, c.relname INTO found_schema, found_name
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE t.tgfoid = 'presence.refuse_write()'::regprocedure AND t.tgname = kind || '_is_read_only';
  IF (found_schema, found_name) IS NOT DISTINCT FROM (wanted_schema, wanted_name)
     OR wanted IS NULL AND found_name IS NULL THEN
    RETURN;
  END IF;
  IF wanted IS NULL THEN
    EXECUTE format('DROP VIEW %I.%I', found_schema, found_name);
  ELSIF found_name IS NULL THEN
    EXECUTE format('CREATE VIEW %I.%I AS %s', wanted_schema, wanted_name, presence.view_text(kind));
    EXECUTE format('CREATE TRIGGER %I INSTEAD OF INSERT OR UPDATE OR DELETE ON %I.%I FOR EACH ROW'
                   ' EXECUTE FUNCTION presence.refuse_write()', kind || '_is_read_only', wanted_schema, wanted_name);
    -- A row trigger sees rows only, and a statement that finds none is to be refused, too.
    EXECUTE format('CREATE TRIGGER %I BEFORE INSERT OR UPDATE OR DELETE ON %I.%I FOR EACH STATEMENT'
                   ' EXECUTE FUNCTION presence.refuse_write()', 'no_write', wanted_schema, wanted_name);
  ELSE
    IF found_schema <> wanted_schema THEN
      -- By a name that nobody has: on its way it could meet others of its old or its new one.
      EXECUTE format('ALTER VIEW %I.%I RENAME TO %I', found_schema, found_name, 'moving_' || txid_current());
      found_name := 'moving_' || txid_current();
      EXECUTE format('ALTER VIEW %I.%I SET SCHEMA %I', found_schema, found_name, wanted_schema);
    END IF;
    EXECUTE format('ALTER VIEW %I.%I RENAME TO %I', wanted_schema, found_name, wanted_name);
  END IF;
END
$function$;
