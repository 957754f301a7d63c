-- name: meta
SELECT bookkeeping_version::text, layout, system_identifier, database_oid::text, database_name, timeline::text
FROM {schema}.meta

-- name: applied
-- The last word on every version of every domain, in order of application.
SELECT s.service_name, s.version::text, s.name, s.applied::text, s.checksum, s.history_id::text
FROM {schema}.migration_state s ORDER BY s.history_id

-- name: heads
-- The newest row of each domain's chain: an index skip scan, so that a long history costs nothing.
WITH RECURSIVE d AS (
    (SELECT service_name FROM {schema}.migration_history ORDER BY service_name LIMIT 1)
    UNION ALL
    SELECT (SELECT h.service_name FROM {schema}.migration_history h WHERE h.service_name > d.service_name
            ORDER BY h.service_name LIMIT 1)
    FROM d WHERE d.service_name IS NOT NULL)
SELECT d.service_name, h.sequence::text, h.row_hash
FROM d CROSS JOIN LATERAL (SELECT sequence, row_hash FROM {schema}.migration_history h
                           WHERE h.service_name = d.service_name ORDER BY sequence DESC LIMIT 1) h
WHERE d.service_name IS NOT NULL

-- name: open_journal
SELECT service_name, version::text, direction, unit::text, unit_hash, kind, backend_pid::text,
       backend_start::text, (done_at IS NOT NULL)::text, run_id::text
FROM {schema}.journal j WHERE NOT j.closed ORDER BY j.id

-- name: stored_sql
-- The texts kept at application: what was run up, what would be run down.
SELECT h.service_name, h.version::text, h.up_sql, h.down_sql, h.run_id::text, h.deployment,
       array_to_string(h.requires, ','), h.id::text, h.name
FROM {schema}.migration_state s JOIN {schema}.migration_history h ON h.id = s.history_id
WHERE s.applied ORDER BY h.id

-- name: rows
SELECT id::text, run_id::text, attempt_id::text, deployment, sequence::text, service_name, version::text, name,
       direction, (extract(epoch FROM applied_at) * 1000000)::bigint::text, execution_time_ms::text, success::text,
       checksum, encode(sha256(convert_to(up_sql, 'UTF8')), 'hex'), encode(sha256(convert_to(down_sql, 'UTF8')), 'hex'),
       array_to_string(requires, ','), error, applied_by, git_commit, tool_version, previous_hash, row_hash,
       to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       up_sql, down_sql
FROM {schema}.migration_history h
WHERE ($1::text IS NULL OR h.service_name = $1) ORDER BY h.id

-- name: attempt
SELECT id::text, sequence::text, row_hash FROM {schema}.migration_history WHERE attempt_id = $1::uuid

-- name: last_failures
-- Versions whose last row is a failure.
SELECT DISTINCT ON (service_name, version) service_name, version::text, success::text, error
FROM {schema}.migration_history WHERE version IS NOT NULL ORDER BY service_name, version, id DESC

-- name: applied_times
SELECT history_id::text, to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM {schema}.migration_state WHERE applied

-- name: environment
-- What this database was said to be, last.
SELECT error FROM {schema}.migration_history
WHERE direction = 'correction' AND name = 'environment' ORDER BY id DESC LIMIT 1

-- name: ready
-- By the public function, which every login may call.
SELECT n.service, n.version::text, {schema}.ready(n.service, n.version)::text
FROM unnest($1::text[], $2::bigint[]) n (service, version)

-- name: ready_by_view
-- The same where the bookkeeping has no such function yet.
SELECT n.service, n.version::text,
       coalesce((SELECT bool_and(s.applied) AND bool_or(s.version = n.version) FROM {schema}.migration_state s
                 WHERE s.service_name = n.service AND s.version <= n.version), false)::text
FROM unnest($1::text[], $2::bigint[]) n (service, version)

-- name: run_end
-- Where the runs have ended that brought what is needed, in bytes from 0/0, and on which timeline; the last of them.
SELECT (e.end_position - '0/0'::pg_lsn)::text, e.end_timeline::text, e.end_position::text
FROM unnest($1::text[], $2::bigint[]) n (service, version) CROSS JOIN LATERAL {schema}.run_end(n.service, n.version) e
WHERE e.end_position IS NOT NULL ORDER BY e.end_timeline DESC, e.end_position DESC LIMIT 1

-- name: past_durations
-- How long each domain's successful steps took: counts by the number of bounds ($1, seconds) that they exceed.
SELECT h.service_name, count_of.bounds::text, count(*)::text, (sum(h.execution_time_ms) / 1000.0)::text
FROM {schema}.migration_history h
CROSS JOIN LATERAL (SELECT count(*) AS bounds FROM unnest($1::float8[]) b WHERE h.execution_time_ms > b * 1000) count_of
WHERE h.success AND h.direction IN ('up', 'down') GROUP BY 1, count_of.bounds

-- name: past_ends
-- How each domain's steps ended: versions that failed last, whether the newest step succeeded, when one did last.
SELECT d.service_name,
       (SELECT count(*) FROM (SELECT DISTINCT ON (version) success FROM {schema}.migration_history h
                              WHERE h.service_name = d.service_name AND version IS NOT NULL
                              ORDER BY version, id DESC) v WHERE NOT success)::text,
       (SELECT h.success FROM {schema}.migration_history h
        WHERE h.service_name = d.service_name AND direction IN ('up', 'down') ORDER BY id DESC LIMIT 1)::text,
       (SELECT extract(epoch FROM max(h.applied_at)) FROM {schema}.migration_history h
        WHERE h.service_name = d.service_name AND success AND direction IN ('up', 'down'))::text
FROM (SELECT DISTINCT service_name FROM {schema}.migration_history WHERE version IS NOT NULL) d
