SELECT place_view(kind, '') FROM unnest(ARRAY['presentity', 'active_watchers', 'watchers']) AS kind;
DROP FUNCTION place_view, refuse_write, view_text, reason_text, number_of, unix_seconds, domain_of_uri, user_of_uri,
  domain_of, user_of, uri_of;
