-- name: relations
-- All relations of this database with what a rewrite or a scan moves, pending and committed.
SELECT pg_catalog.json_agg(pg_catalog.json_build_array(
           c.oid::bigint, n.nspname, c.relname, c.relkind, c.relfilenode::bigint, pg_catalog.pg_get_userbyid(c.relowner),
           i.indrelid::bigint, pg_catalog.pg_stat_get_xact_numscans(c.oid) + pg_catalog.pg_stat_get_numscans(c.oid),
           (SELECT pg_catalog.json_agg(pg_catalog.json_build_array(k.oid::bigint, k.confrelid::bigint)) FROM pg_catalog.pg_constraint k
            WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.convalidated),
           CASE WHEN c.relispartition THEN (SELECT h.inhparent::bigint FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid) END))::text
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE c.oid >= 16384 AND c.oid::bigint > $1::bigint

-- name: replaceable
-- What CREATE OR REPLACE may find: relations are known anyway.
SELECT pg_catalog.json_agg(o)::text FROM (
    SELECT oid::bigint AS o FROM pg_catalog.pg_proc WHERE oid >= 16384
    UNION ALL SELECT oid::bigint FROM pg_catalog.pg_trigger WHERE oid >= 16384
    UNION ALL SELECT oid::bigint FROM pg_catalog.pg_rewrite WHERE oid >= 16384) x

-- name: scanned
-- What this session has scanned and not reported yet.
SELECT c.oid::text, pg_catalog.pg_stat_get_xact_numscans(c.oid)::text FROM pg_catalog.pg_class c
WHERE c.oid >= 16384 AND pg_catalog.pg_stat_get_xact_numscans(c.oid) > 0

-- name: flush
SELECT pg_catalog.pg_stat_force_next_flush()

-- name: marked
SELECT pg_catalog.set_config('bgce_measure.mark', $1, false), pg_catalog.set_config('bgce_measure.seen', $1, false),
       pg_catalog.set_config('bgce_measure.log', '', false)

-- name: log
SELECT pg_catalog.current_setting('bgce_measure.log', true)

-- name: emptied_log
SELECT pg_catalog.set_config('bgce_measure.log', '', false)

-- name: watch
-- Two event triggers of a scratch database: they write down what a statement makes, changes and drops, into a setting
-- of the session, so that what a block rolls back is forgotten with it and no table or lock of ours is in the way.
CREATE SCHEMA bgce_measure;
GRANT USAGE ON SCHEMA bgce_measure TO PUBLIC;
CREATE FUNCTION bgce_measure.note(p_lines text) RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM set_config('bgce_measure.log', concat(current_setting('bgce_measure.log', true), p_lines), false);
END $body$;
CREATE FUNCTION bgce_measure.done() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM bgce_measure.note((SELECT string_agg(json_build_array(d.command_tag, d.object_type, d.object_identity, d.objid::bigint)::text
                                                 || chr(10), '')
                               FROM pg_event_trigger_ddl_commands() d WHERE NOT d.in_extension));
END $body$;
CREATE FUNCTION bgce_measure.dropped() RETURNS event_trigger LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM bgce_measure.note((SELECT string_agg(json_build_array(CASE WHEN d.original THEN 'DROP' ELSE 'CASCADE' END, d.object_type,
                                                                  d.object_identity, d.objid::bigint)::text || chr(10), '')
                               FROM pg_event_trigger_dropped_objects() d WHERE NOT d.is_temporary AND (d.original OR d.normal)));
END $body$;
CREATE EVENT TRIGGER bgce_measure_done ON ddl_command_end EXECUTE FUNCTION bgce_measure.done();
CREATE EVENT TRIGGER bgce_measure_dropped ON sql_drop EXECUTE FUNCTION bgce_measure.dropped();

-- name: tables
-- Sizes and estimates of rows, nothing of what is inside; a partitioned table has the sums of its partitions.
-- Pages and rows as the server has counted them last: the size of the files would take a lock on each.
SELECT n.nspname::text, c.relname::text, c.relkind::text,
       coalesce(sum(CASE WHEN leaf.reltuples >= 0 THEN leaf.reltuples ELSE pg_stat_get_live_tuples(leaf.oid) END), 0)::bigint::text,
       coalesce(sum((leaf.relpages + coalesce(toast.relpages, 0))::bigint * current_setting('block_size')::bigint), 0)::text,
       coalesce(sum((SELECT sum(x.relpages) FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = leaf.oid)
                    * current_setting('block_size')::bigint), 0)::bigint::text,
       bool_or(leaf.reltuples < 0)::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf AND c.relkind = 'p'
                   UNION ALL SELECT c.oid WHERE c.relkind <> 'p') p ON true
LEFT JOIN pg_class leaf ON leaf.oid = p.relid
LEFT JOIN pg_class toast ON toast.oid = leaf.reltoastrelid
WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema', $1)
GROUP BY c.oid, n.nspname, c.relname, c.relkind ORDER BY 1, 2

-- name: now
SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
