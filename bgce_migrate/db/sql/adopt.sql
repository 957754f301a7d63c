-- What is looked at before a database is taken over. Nothing here changes anything.

-- name: version_tables
-- Small tables that have a column by which some tool keeps its versions; which tool, their whole shape tells.
SELECT n.nspname, c.relname,
       (SELECT json_object_agg(a.attname, format_type(a.atttypid, NULL)) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't' AND c.relnatts <= 24
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> $1
  AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
              AND a.attname IN ('version', 'version_id', 'version_num', 'installed_rank', 'app', 'migration_id', 'change_id'))
ORDER BY n.nspname, c.relname

-- name: dropped_columns
-- Tables that had columns once that they do not have any more.
SELECT n.nspname, c.relname, count(*)::text
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE a.attisdropped AND a.attnum > 0 AND c.oid >= 16384 AND c.relkind IN ('r', 'p')
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
GROUP BY 1, 2 ORDER BY 1, 2

-- name: reserved
-- Words that are a name in quotes only.
SELECT word FROM pg_get_keywords() WHERE catcode <> 'U'

-- name: hidden
-- Names in schema public that mean something of the server's where no schema is said.
SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
  AND EXISTS (SELECT FROM pg_class s WHERE s.relnamespace = 'pg_catalog'::regnamespace AND s.relname = c.relname)
UNION
SELECT t.typname FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace
  AND EXISTS (SELECT FROM pg_type s WHERE s.typnamespace = 'pg_catalog'::regnamespace AND s.typname = t.typname)
UNION
SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
  AND EXISTS (SELECT FROM pg_proc s WHERE s.pronamespace = 'pg_catalog'::regnamespace AND s.proname = p.proname)

-- name: routine_texts
SELECT n.nspname, p.proname, '(' || oidvectortypes(p.proargtypes) || ')', pg_get_functiondef(p.oid)
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.oid >= 16384 AND p.prokind <> 'a' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
