-- name: facts
-- Who and where we are, in one row of text.
SELECT current_setting('server_version_num'),
       pg_is_in_recovery()::text,
       current_setting('default_transaction_read_only'),
       (SELECT system_identifier::text FROM pg_control_system()),
       d.oid::text,
       d.datname::text,
       CASE WHEN pg_is_in_recovery() THEN '0'
            ELSE ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer::text END,
       pg_backend_pid()::text,
       session_user::text,
       (SELECT rolsuper::text FROM pg_roles WHERE rolname = session_user),
       pg_encoding_to_char(d.encoding)::text,
       current_setting('TimeZone'),
       EXISTS (SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
               WHERE n.nspname = $1 AND c.relname = 'meta')::text,
       has_database_privilege(d.oid, 'CREATE')::text,
       (current_setting('wal_level') <> 'minimal'
        AND has_function_privilege('pg_catalog.pg_create_restore_point(text)', 'EXECUTE'))::text
FROM pg_database d WHERE d.datname = current_database()

-- name: restore_point
SELECT pg_create_restore_point($1)::text

-- name: read_only_source
SELECT source FROM pg_settings WHERE name = 'default_transaction_read_only'

-- name: roles_of
-- Which of the named roles exist, and whether this login may act as them.
SELECT r.rolname::text, pg_has_role(session_user, r.oid, 'MEMBER')::text
FROM pg_roles r WHERE r.rolname = ANY ($1::text[])

-- name: extensions
SELECT extname::text FROM pg_extension

-- name: owned_objects
-- DROP statements for everything outside the system that this login owns and no extension holds, schemas last.
WITH mine AS (SELECT oid FROM pg_roles WHERE rolname = session_user),
free AS (SELECT d.objid, d.classid FROM pg_depend d WHERE d.deptype = 'e')
SELECT text FROM (
    SELECT 1 AS rank, format('DROP %s IF EXISTS %I.%I CASCADE',
               CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE'
                              WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE' END, n.nspname, c.relname) AS text
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND c.relowner IN (SELECT oid FROM mine)
      AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
      AND (c.oid, 'pg_class'::regclass::oid) NOT IN (SELECT objid, classid FROM free)
      -- Sequences of columns go with their tables.
      AND NOT (c.relkind = 'S' AND EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
               AND d.objid = c.oid AND d.deptype IN ('a', 'i')))
    UNION ALL
    SELECT 2, format('DROP %s IF EXISTS %s CASCADE',
               CASE p.prokind WHEN 'p' THEN 'PROCEDURE' WHEN 'a' THEN 'AGGREGATE' ELSE 'FUNCTION' END, p.oid::regprocedure)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE p.proowner IN (SELECT oid FROM mine) AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
      AND (p.oid, 'pg_proc'::regclass::oid) NOT IN (SELECT objid, classid FROM free)
    UNION ALL
    SELECT 3, format('DROP TYPE IF EXISTS %I.%I CASCADE', n.nspname, t.typname)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE t.typtype IN ('e', 'd', 'r') AND t.typowner IN (SELECT oid FROM mine)
      AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
      AND (t.oid, 'pg_type'::regclass::oid) NOT IN (SELECT objid, classid FROM free)
    UNION ALL
    SELECT 4, format('DROP SCHEMA IF EXISTS %I CASCADE', n.nspname) FROM pg_namespace n
    WHERE n.nspowner IN (SELECT oid FROM mine) AND n.nspname NOT LIKE 'pg\_%'
      AND n.nspname NOT IN ('information_schema', 'public')
) t ORDER BY rank, text

-- name: function_owners
SELECT DISTINCT pg_get_userbyid(p.proowner)::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = $1

-- name: sees_activity
SELECT pg_has_role(session_user, 'pg_read_all_stats', 'MEMBER')::text

-- name: temporary
-- Who may make temporary tables here; NULL is everybody.
SELECT r.rolname::text FROM pg_database d CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) a
LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE d.datname = current_database() AND a.privilege_type = 'TEMPORARY' AND (r.oid IS NOT NULL OR a.grantee = 0)

-- name: own_database
-- The database's name, where this login has its owner's rights.
SELECT datname::text FROM pg_database WHERE datname = current_database() AND pg_has_role(session_user, datdba, 'USAGE')

-- name: scratch_databases
-- Of runs that are under way.
SELECT datname::text FROM pg_database WHERE datname LIKE 'scratch\_%'

-- name: test_templates
-- Of pytest's sessions, and whether each was made to its end.
SELECT datname::text, datistemplate::text FROM pg_database WHERE datname LIKE 'bgce\_template\_%'
