-- name: login
-- What the role $1 is and how many sessions it has; no row where it does not exist.
SELECT r.rolcanlogin::text, r.rolsuper::text, coalesce(r.rolvaliduntil < now(), false)::text,
       r.rolconnlimit::text,
       (SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = r.oid)::text
FROM pg_roles r WHERE r.rolname = $1

-- name: is_member
-- Is $2 a direct member of $1?
SELECT 1::text FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
WHERE r.rolname = $1 AND m.rolname = $2

-- name: settings
-- What ALTER ROLE ... SET has given the role $1, everywhere or in this database; the latter last.
SELECT d.datname::text, split_part(s.setting, '=', 1), substr(s.setting, strpos(s.setting, '=') + 1)
FROM pg_db_role_setting c JOIN pg_roles r ON r.oid = c.setrole LEFT JOIN pg_database d ON d.oid = c.setdatabase
CROSS JOIN LATERAL unnest(c.setconfig) AS s (setting)
WHERE r.rolname = $1 AND (c.setdatabase = 0 OR d.datname = current_database())
  AND split_part(s.setting, '=', 1) NOT IN ('role', 'session_authorization')
ORDER BY c.setdatabase, s.setting

-- name: quiet
-- Keep even the verifier out of the server's log and statistics, where this login may say so; for this transaction.
SELECT set_config(s.name, v.value, true)
FROM (VALUES ('log_statement', 'none'), ('log_min_duration_statement', '-1'), ('log_min_duration_sample', '-1'),
             ('log_min_error_statement', 'panic'), ('pg_stat_statements.track', 'none'), ('pgaudit.log', 'none'))
     AS v (name, value)
JOIN pg_settings s ON s.name = v.name WHERE current_setting('is_superuser') = 'on'
