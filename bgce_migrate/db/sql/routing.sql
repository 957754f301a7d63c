-- name: standing
-- What a server is and where it stands, for any login: standby, cluster, position, timeline, in this order. A standby's
-- timeline is the newest that it surely replays: its control file is behind, never ahead; the receiver's is hidden
-- from logins without pg_read_all_stats.
SELECT pg_is_in_recovery()::text,
       (SELECT system_identifier::text FROM pg_control_system()),
       ((CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()
              ELSE pg_current_wal_insert_lsn() END) - '0/0'::pg_lsn)::text,
       CASE WHEN pg_is_in_recovery()
            THEN greatest((SELECT timeline_id FROM pg_control_checkpoint()),
                          (SELECT min_recovery_end_timeline FROM pg_control_recovery()),
                          (SELECT received_tli FROM pg_stat_wal_receiver))
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::integer END::text

-- name: readers
-- On a standby: sessions of this database that use the relations ($1 schemas, $2 names), their indexes and partitions;
-- longest first. NULL ages and queries are those that this login may not see. The first row is about the server alone.
WITH RECURSIVE named AS (
    SELECT c.oid, n.nspname || '.' || c.relname AS name
    FROM unnest($1::text[], $2::text[]) w (schema, name)
    JOIN pg_namespace n ON n.nspname = w.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
), tables AS (
    SELECT coalesce(i.indrelid, t.oid) AS oid, t.name FROM named t LEFT JOIN pg_index i ON i.indexrelid = t.oid
    UNION SELECT h.inhrelid, t.name FROM tables t JOIN pg_inherits h ON h.inhparent = t.oid
), used AS (
    SELECT l.pid, string_agg(DISTINCT t.name, ', ' ORDER BY t.name) AS names
    FROM tables t JOIN pg_locks l ON l.relation = t.oid
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    -- The replay itself holds ACCESS EXCLUSIVE; sessions of a standby never can.
    WHERE l.granted AND l.mode <> 'AccessExclusiveLock' AND l.pid <> pg_backend_pid()
    GROUP BY l.pid
)
(SELECT NULL, pg_is_in_recovery()::text, current_setting('max_standby_streaming_delay'), NULL, NULL, NULL)
UNION ALL
(SELECT u.pid::text, a.usename::text, a.application_name, extract(epoch FROM clock_timestamp() - a.xact_start)::text,
        left(a.query, 200), u.names
 FROM used u JOIN pg_stat_activity a ON a.pid = u.pid
 ORDER BY a.xact_start NULLS LAST LIMIT 100)
