-- name: me
-- What the administrator's login may do.
SELECT r.rolname::text, r.rolsuper::text, r.rolcreaterole::text,
       coalesce((SELECT bool_or(m.admin_option) FROM pg_auth_members m JOIN pg_roles s ON s.oid = m.roleid
                 WHERE s.rolname = 'pg_read_all_stats' AND m.member = r.oid), false)::text,
       has_schema_privilege('public', 'CREATE WITH GRANT OPTION')::text
FROM pg_roles r WHERE r.rolname = session_user

-- name: existing
-- What is there, in rows of a kind and up to three words. $1: the bookkeeping's schema.
SELECT 'role', rolname::text, rolcanlogin::text || ',' || rolsuper::text || ',' || rolinherit::text, NULL FROM pg_roles
UNION ALL
-- Options of memberships are columns from 16 on.
SELECT 'member', r.rolname::text, m.rolname::text,
       coalesce(to_jsonb(a) ->> 'inherit_option', '') || coalesce(' ' || (to_jsonb(a) ->> 'set_option'), '')
FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
UNION ALL SELECT 'extension', extname::text, '', NULL FROM pg_extension
UNION ALL SELECT 'schema', nspname::text, pg_get_userbyid(nspowner)::text, NULL FROM pg_namespace
UNION ALL
SELECT 'create', n.nspname::text, r.rolname::text, NULL
FROM pg_namespace n CROSS JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE a.privilege_type = 'CREATE'
UNION ALL
SELECT 'view', n.nspname || '.' || c.relname, '', NULL FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v'
UNION ALL
SELECT 'reader', n.nspname || '.' || c.relname, r.rolname::text, NULL
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee
JOIN pg_roles o ON o.oid = c.relowner AND o.rolname = (SELECT pg_get_userbyid(b.nspowner) FROM pg_namespace b WHERE b.nspname = $1)
WHERE c.relkind = 'v' AND a.privilege_type = 'SELECT'
UNION ALL
SELECT 'function', n.nspname::text, p.proname::text, oidvectortypes(p.proargtypes)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.oid >= 16384 AND n.nspname <> $1
UNION ALL
SELECT CASE WHEN a.grantee = 0 THEN 'open function' ELSE 'executor' END,
       CASE WHEN a.grantee = 0 THEN n.nspname::text
            ELSE n.nspname || '.' || p.proname || '(' || oidvectortypes(p.proargtypes) || ')' END,
       CASE WHEN a.grantee = 0 THEN p.proname::text ELSE r.rolname::text END,
       CASE WHEN a.grantee = 0 THEN oidvectortypes(p.proargtypes) END
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
CROSS JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE p.oid >= 16384 AND n.nspname <> $1

-- name: inside
-- Which of the roles $1 are there, once for each of the schemas $2 that they may use.
SELECT r.rolname::text, n.nspname::text
FROM pg_roles r LEFT JOIN pg_namespace n ON n.nspname = ANY ($2::text[]) AND has_schema_privilege(r.oid, n.oid, 'USAGE')
WHERE r.rolname = ANY ($1::text[])

-- name: extensions
-- Of the extensions $1 that are not here: whether the server could make it, and whether PostgreSQL keeps it for superuser.
SELECT w.name, (e.name IS NOT NULL)::text,
       (NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AND coalesce(v.superuser AND NOT v.trusted, false))::text
FROM unnest($1::text[]) WITH ORDINALITY AS w (name, place)
LEFT JOIN pg_available_extensions e ON e.name = w.name
LEFT JOIN pg_available_extension_versions v ON v.name = e.name AND v.version = e.default_version
WHERE NOT EXISTS (SELECT FROM pg_extension x WHERE x.extname = w.name)
ORDER BY w.place

-- name: not_executable
-- The arguments of the functions $2.$3 that the role $1 may not call.
SELECT oidvectortypes(p.proargtypes) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
JOIN pg_roles r ON r.rolname = $1
WHERE n.nspname = $2 AND p.proname = $3 AND NOT has_function_privilege(r.oid, p.oid, 'EXECUTE')

-- name: may_mark
-- Whether this login may let others make restore points, and whether the role $1 may make them.
SELECT has_function_privilege('pg_catalog.pg_create_restore_point(text)', 'EXECUTE WITH GRANT OPTION')::text,
       coalesce((SELECT has_function_privilege(oid, 'pg_catalog.pg_create_restore_point(text)', 'EXECUTE') FROM pg_roles WHERE rolname = $1), false)::text

-- name: logins
SELECT login, domain FROM {schema}.domain_login

-- name: version
SELECT bookkeeping_version::text, layout FROM {schema}.meta

-- name: role
SELECT rolname::text FROM pg_roles WHERE rolname = $1

-- name: database
SELECT datname::text FROM pg_database WHERE datname = $1
