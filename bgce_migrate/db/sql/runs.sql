-- name: runs
-- What is recorded of the runs $1, and what was asked of each last.
SELECT r.run_id::text, r.command, r.host, r.os_user, r.deployment,
       extract(epoch FROM clock_timestamp() - r.started_at)::text, q.what, q.asked_by,
       extract(epoch FROM clock_timestamp() - q.asked_at)::text, q.id::text
FROM {schema}.run r
LEFT JOIN LATERAL (SELECT * FROM {schema}.request q WHERE q.run_id = r.run_id ORDER BY q.id DESC LIMIT 1) q ON true
WHERE r.run_id = ANY ($1::uuid[])

-- name: steps
-- The steps of the runs $1 that are recorded and stand.
SELECT run_id::text, service_name, version::text, direction FROM {schema}.migration_history
WHERE run_id = ANY ($1::uuid[]) AND success AND direction IN ('up', 'down') ORDER BY id

-- name: recorded
-- Whether there is a bookkeeping that knows requests.
SELECT (to_regclass('{schema}.request') IS NOT NULL)::text, current_database()::text, session_user::text,
       pg_has_role('pg_read_all_stats', 'USAGE')::text
