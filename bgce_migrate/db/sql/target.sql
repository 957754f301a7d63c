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
       has_database_privilege(d.oid, 'CREATE')::text
FROM pg_database d WHERE d.datname = current_database()

-- name: roles_of
-- Which of the named roles exist, and whether this login may act as them.
SELECT r.rolname::text, pg_has_role(session_user, r.oid, 'MEMBER')::text
FROM pg_roles r WHERE r.rolname = ANY ($1::text[])

-- name: extensions
SELECT extname::text FROM pg_extension

-- name: history_view
-- The optional view for services and dashboards: the columns of the platform's own migration_history.
SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = $1 AND c.relname = $2
