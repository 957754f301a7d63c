-- name: me
-- What the administrator's login may do.
SELECT r.rolname::text, r.rolsuper::text, r.rolcreaterole::text,
       coalesce((SELECT bool_or(m.admin_option) FROM pg_auth_members m JOIN pg_roles s ON s.oid = m.roleid
                 WHERE s.rolname = 'pg_read_all_stats' AND m.member = r.oid), false)::text,
       has_schema_privilege('public', 'CREATE WITH GRANT OPTION')::text
FROM pg_roles r WHERE r.rolname = session_user

-- name: existing
SELECT 'role', rolname::text, rolcanlogin::text || ',' || rolsuper::text || ',' || rolinherit::text FROM pg_roles
UNION ALL
SELECT 'member', r.rolname::text, m.rolname::text
FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
UNION ALL SELECT 'extension', extname::text, '' FROM pg_extension
UNION ALL SELECT 'schema', nspname::text, pg_get_userbyid(nspowner)::text FROM pg_namespace
UNION ALL
SELECT 'create', n.nspname::text, r.rolname::text
FROM pg_namespace n CROSS JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE a.privilege_type = 'CREATE'
UNION ALL
SELECT 'view', n.nspname || '.' || c.relname, '' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v'

-- name: logins
SELECT login, domain FROM {schema}.domain_login

-- name: version
SELECT bookkeeping_version::text, layout FROM {schema}.meta

-- name: role
SELECT rolname::text FROM pg_roles WHERE rolname = $1

-- name: database
SELECT datname::text FROM pg_database WHERE datname = $1
