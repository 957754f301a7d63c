-- What drift asks of a target besides its catalog. Reads only.

-- name: roles
SELECT rolname::text FROM pg_roles WHERE rolname !~ '^pg_'

-- name: appliers
-- In layout plain everything belongs to whoever applied it, or to the owner of the bookkeeping.
SELECT DISTINCT applied_by::text FROM {schema}.migration_history WHERE direction IN ('up', 'down')
UNION
SELECT pg_get_userbyid(nspowner)::text FROM pg_namespace WHERE nspname = $1

-- name: watched
-- Whether the event trigger's table is there and this login may read it.
SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = 'ddl_seen' AND has_table_privilege(c.oid, 'SELECT')
  AND has_schema_privilege(n.oid, 'USAGE')

-- name: sightings
-- The last ones first; nobody reads more.
SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), login, role, command, kind, name,
       application || coalesce(', ' || address, '')
FROM {schema}.ddl_seen ORDER BY id DESC LIMIT 20000
