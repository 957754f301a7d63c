-- name: limits
-- What the server has and keeps; reserved_connections is 16's.
SELECT current_setting('max_connections'), current_setting('superuser_reserved_connections'),
       coalesce(current_setting('reserved_connections', true), '0')

-- name: sessions
-- How many sessions each login of $1 has now, in every database of the server, and its limit.
SELECT r.rolname::text, r.rolconnlimit::text,
       (SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = r.oid)::text
FROM pg_roles r WHERE r.rolname = ANY ($1::text[])
