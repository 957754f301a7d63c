-- What is asked about statements that services send.

-- name: types
SELECT o::text, format_type(o, NULL) FROM unnest($1::oid[]) o

-- name: statistics_place
-- Where pg_stat_statements is installed here.
SELECT n.nspname::text FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements'

-- name: statistics
-- What ordinary logins sent, the most frequent first. Texts of others are hidden from whoever lacks pg_read_all_stats.
SELECT r.rolname::text, s.query, sum(s.calls)::text
FROM {extension}.pg_stat_statements s JOIN pg_roles r ON r.oid = s.userid
WHERE s.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND NOT r.rolsuper
GROUP BY 1, 2 ORDER BY sum(s.calls) DESC LIMIT 20000
