-- name: index
-- Is the index $2 (in schema $1, or on the search path) there, and fit for use?
SELECT c.oid::text, i.indisvalid::text, i.indisready::text, pg_get_indexdef(c.oid), t.relname::text,
       n.nspname || '.' || c.relname, n.nspname::text, c.relname::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_index i ON i.indexrelid = c.oid JOIN pg_class t ON t.oid = i.indrelid
WHERE c.relname = $2 AND ($1::text IS NULL OR n.nspname = $1)
ORDER BY array_position(current_schemas(false), n.nspname) NULLS LAST LIMIT 1

-- name: reindex_leftovers
-- Invalid copies that an unfinished REINDEX CONCURRENTLY leaves behind.
SELECT n.nspname || '.' || c.relname, n.nspname::text, c.relname::text
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT i.indisvalid AND (c.relname ~ '_ccnew[0-9]*$' OR c.relname ~ '_ccold[0-9]*$')
  AND pg_has_role(session_user, c.relowner, 'MEMBER')

-- name: partition
-- Is $2 still a partition of a table, and is its detachment pending?
SELECT i.inhparent::regclass::text, i.inhdetachpending::text
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname = $2 AND ($1::text IS NULL OR n.nspname = $1)
