-- name: run_lock
-- Never waits: whoever waits inside the server holds up CREATE INDEX CONCURRENTLY.
LOCK TABLE {schema}.run_lock IN EXCLUSIVE MODE NOWAIT

-- name: holder
-- Who leads now, as far as we may see.
SELECT l.pid::text, a.usename::text, a.application_name, host(a.client_addr), a.backend_start::text,
       r.run_id::text, r.host, r.os_user, r.started_at::text, r.command
FROM pg_locks l
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
LEFT JOIN {schema}.epoch e ON true
LEFT JOIN {schema}.run r ON r.run_id = e.run_id
WHERE l.relation = '{schema}.run_lock'::regclass AND l.mode = 'ExclusiveLock' AND l.granted
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())

-- name: held
-- What this very transaction, run as $1, has locked beyond reading, or changed without a lock.
SELECT * FROM {schema}.held($1)

-- name: existed
-- The same objects as another session sees them, before the step has committed: also those it is dropping.
SELECT 'relation', c.oid::text, n.nspname || '.' || c.relname, pg_get_userbyid(c.relowner)::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = ANY ($1::oid[])
UNION ALL
SELECT 'type', t.oid::text, n.nspname || '.' || t.typname, pg_get_userbyid(t.typowner)::text
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = ANY ($1::oid[])
UNION ALL
SELECT 'function', p.oid::text, n.nspname || '.' || p.proname, pg_get_userbyid(p.proowner)::text
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = ANY ($1::oid[])
UNION ALL
SELECT 'schema', n.oid::text, n.nspname::text, pg_get_userbyid(n.nspowner)::text
FROM pg_namespace n WHERE n.oid = ANY ($1::oid[])

-- name: changed_since
-- Which of the functions, types and schemas $1 look different from here: those that the step itself has changed.
SELECT o.oid::text, o.xmin::text FROM pg_proc o WHERE o.oid = ANY ($1::oid[])
UNION ALL
SELECT o.oid::text, concat_ws(' ', o.xmin, (SELECT string_agg(e.xmin::text, ' ' ORDER BY e.oid) FROM pg_enum e
                                           WHERE e.enumtypid = o.oid))
FROM pg_type o WHERE o.oid = ANY ($1::oid[])
UNION ALL SELECT o.oid::text, o.xmin::text FROM pg_namespace o WHERE o.oid = ANY ($1::oid[])

-- name: entries
-- What the roles $1 own and what names them in its ACL, with each object's owner.
SELECT d.deptype::text, d.classid::text, d.objid::text, r.rolname::text, pg_describe_object(d.classid, d.objid, 0),
       coalesce(pg_get_userbyid(o.refobjid), r.rolname)::text
FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid
LEFT JOIN pg_shdepend o ON o.dbid = d.dbid AND o.classid = d.classid AND o.objid = d.objid AND o.objsubid = 0
     AND o.deptype = 'o' AND o.refclassid = d.refclassid
WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = ANY ($1::oid[]) AND d.deptype IN ('a', 'o')
  AND d.dbid IN (0, (SELECT b.oid FROM pg_database b WHERE b.datname = current_database()))

-- name: made
-- The relations $1 with their columns, and the sequences of their schema behind serial columns and nextval defaults.
SELECT n.nspname::text, c.relname::text, c.relkind::text,
       (SELECT json_agg(a.attname ORDER BY a.attnum)::text FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
       (SELECT json_agg(DISTINCT s.relname)::text FROM pg_attrdef ad
        JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = ad.oid AND d.refclassid = 'pg_class'::regclass
        JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S' AND s.relnamespace = c.relnamespace
        WHERE ad.adrelid = c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY ($1::oid[])
  -- An identity column's own needs no right.
  AND NOT (c.relkind = 'S' AND EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
           AND d.objid = c.oid AND d.deptype IN ('i', 'a')))

-- name: functions_made
-- The functions of schema $1 and owner $2 that this transaction, or a part of it, has made or replaced. Nobody else makes
-- any as this owner meanwhile, so that what is not older than the transaction is its own.
SELECT p.proname::text, oidvectortypes(p.proargtypes)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner
WHERE n.nspname = $1 AND r.rolname = $2 AND age(p.xmin) <= age(pg_current_xact_id_if_assigned()::xid)

-- name: blockers
-- Who holds up the backend $1. A prepared transaction has no backend: it is told by its name instead of a program's.
SELECT b.pid::text, a.usename::text, a.application_name, a.state,
       round(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.backend_start)))::text
FROM unnest(pg_blocking_pids($1::integer)) AS b (pid) LEFT JOIN pg_stat_activity a ON a.pid = b.pid
WHERE b.pid <> 0
UNION
SELECT NULL, p.owner::text, p.gid, 'prepared', round(extract(epoch FROM clock_timestamp() - p.prepared))::text
FROM pg_locks w
JOIN pg_locks h ON h.granted AND h.pid IS NULL AND h.database IS NOT DISTINCT FROM w.database
     AND h.relation IS NOT DISTINCT FROM w.relation AND h.transactionid IS NOT DISTINCT FROM w.transactionid
     AND h.objid IS NOT DISTINCT FROM w.objid
JOIN pg_locks x ON x.pid IS NULL AND x.locktype = 'transactionid' AND x.virtualtransaction = h.virtualtransaction
JOIN pg_prepared_xacts p ON p.transaction::text = x.transactionid::text
WHERE w.pid = $1::integer AND NOT w.granted

-- name: under_way
-- The transactions that have begun a step and are not over.
SELECT l.pid::text, a.usename::text, a.application_name, coalesce(a.wait_event, a.state),
       round(extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.backend_start)))::text
FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.relation = '{schema}.epoch'::regclass AND l.mode = 'RowShareLock' AND l.pid <> pg_backend_pid()
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())

-- name: asked
SELECT id::text, what, asked_by FROM {schema}.request WHERE run_id = $1::uuid AND id > $2::bigint ORDER BY id

-- name: call_itself
SELECT set_config('application_name', $1, false)

-- name: wait_event
SELECT wait_event FROM pg_stat_activity WHERE pid = $1::integer

-- name: backend
SELECT pid::text FROM pg_stat_activity
WHERE pid = $1::integer AND ($2::timestamptz IS NULL OR backend_start = $2::timestamptz)

-- name: index_progress
SELECT phase, blocks_done::text, blocks_total::text, tuples_done::text, tuples_total::text
FROM pg_stat_progress_create_index WHERE pid = $1::integer

-- name: own_keys_to
-- Which of the tables $1 are referred to by keys of tables that the role $2 owns.
SELECT DISTINCT k.confrelid::text FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.contype = 'f' AND k.confrelid = ANY ($1::oid[]) AND pg_get_userbyid(c.relowner) = $2

-- name: shape
-- What a cascade could take away from the tables $1.
SELECT c.oid::text,
       (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped)::text,
       (SELECT count(*) FROM pg_attrdef d WHERE d.adrelid = c.oid)::text,
       (SELECT count(*) FROM pg_constraint k WHERE k.conrelid = c.oid)::text,
       (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid)::text,
       (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)::text,
       (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid)::text,
       (SELECT count(*) FROM pg_inherits h WHERE h.inhrelid = c.oid OR h.inhparent = c.oid)::text
FROM pg_class c WHERE c.oid = ANY ($1::oid[]) ORDER BY c.oid

-- name: traced
-- What this very transaction has locked so far, reading included, each relation with what a rewrite or a scan moves.
-- What it has made itself (behind `mark`, which is the highest OID before it) is told once only: nobody else knows it.
SELECT extract(epoch FROM pg_catalog.statement_timestamp())::text, pg_catalog.json_agg(pg_catalog.json_build_array(
           l.oid::bigint, l.modes, n.nspname, c.relname, c.relkind, c.relfilenode::bigint, pg_catalog.pg_get_userbyid(c.relowner),
           i.indrelid::bigint, pg_catalog.pg_stat_get_xact_numscans(l.oid),
           (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(k.oid::bigint, k.confrelid::bigint)) FROM pg_catalog.pg_constraint k
            WHERE k.conrelid = l.oid AND k.contype = 'f' AND k.convalidated),
           CASE WHEN c.relispartition THEN (SELECT h.inhparent::bigint FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid) END))::text,
       pg_catalog.current_setting('bgce_measure.log', true), extract(epoch FROM pg_catalog.clock_timestamp())::text,
       pg_catalog.set_config('bgce_measure.seen', greatest(max(l.oid)::bigint, s.seen)::text, false)
-- A file's own RESET ALL takes the settings away: then everything is told again.
FROM (SELECT coalesce(nullif(pg_catalog.current_setting('bgce_measure.mark', true), ''), '4294967295')::bigint AS mark,
             coalesce(nullif(pg_catalog.current_setting('bgce_measure.seen', true), ''), '0')::bigint AS seen OFFSET 0) s
LEFT JOIN LATERAL (
    SELECT relation AS oid, pg_catalog.array_agg(DISTINCT mode) AS modes FROM pg_catalog.pg_locks
    WHERE pid = pg_catalog.pg_backend_pid() AND locktype = 'relation' AND relation >= 16384 AND granted
      AND (relation::bigint <= s.mark OR relation::bigint > s.seen) GROUP BY relation) l ON true
LEFT JOIN pg_catalog.pg_class c ON c.oid = l.oid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = l.oid
GROUP BY s.seen

-- name: seen_from_beside
-- The relations that the backend $1 has locked or waits for, and what else it waits for.
SELECT l.relation::text, l.mode, l.granted::text, l.locktype FROM pg_locks l
WHERE l.pid = $1::integer AND (NOT l.granted OR (l.locktype = 'relation' AND l.relation >= 16384))

-- name: sessions_of_runs
-- The sessions of our runs in this database: which one holds the run lock, what each of them does.
SELECT a.pid::text, a.usename::text, a.application_name, a.state, left(a.query, 2000),
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.state_change, a.backend_start))::text,
       extract(epoch FROM clock_timestamp() - a.state_change)::text,
       EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = a.pid AND l.relation = '{schema}.run_lock'::regclass
               AND l.mode = 'ExclusiveLock' AND l.granted AND l.database = a.datid)::text,
       (SELECT concat_ws(' ', p.phase, CASE WHEN p.blocks_total > 0 THEN 100 * p.blocks_done / p.blocks_total || ' %' END)
        FROM pg_stat_progress_create_index p WHERE p.pid = a.pid)
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
  AND a.application_name ~ '^bgce-migrate [0-9a-f]{8}-[0-9a-f-]{27}'
ORDER BY a.backend_start

-- name: waiting
-- Every session of this database that waits for a lock, for which one, and for whom (0 is a prepared transaction).
SELECT l.pid::text, l.mode, coalesce(n.nspname || '.' || c.relname, l.locktype), pg_get_userbyid(c.relowner)::text,
       extract(epoch FROM clock_timestamp() - l.waitstart)::text, array_to_string(pg_blocking_pids(l.pid), ',')
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid AND a.datname = current_database()
LEFT JOIN pg_class c ON c.oid = l.relation AND l.database = a.datid
LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT l.granted

-- name: sessions
-- Who the backends $1 are.
SELECT a.pid::text, coalesce(a.usename::text, a.backend_type), a.application_name, a.state, left(a.query, 2000),
       extract(epoch FROM clock_timestamp() - coalesce(a.xact_start, a.backend_start))::text
FROM pg_stat_activity a WHERE a.pid = ANY ($1::integer[]) ORDER BY a.xact_start

-- name: end_backend
SELECT pg_terminate_backend($1::integer)::text
