-- name: relations
-- Tables of the declarations $1 (schema, name, owner), with the partitions of partitioned ones, that somebody else owns.
WITH RECURSIVE wanted AS (
    SELECT * FROM jsonb_to_recordset($1::jsonb) AS w (schema text, name text, owner text)
), found AS (
    SELECT c.oid, w.owner, w.schema, w.name FROM wanted w
    JOIN pg_namespace n ON n.nspname = w.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
    UNION ALL
    SELECT i.inhrelid, f.owner, f.schema, f.name
    FROM found f JOIN pg_class p ON p.oid = f.oid AND p.relkind = 'p' JOIN pg_inherits i ON i.inhparent = f.oid
)
SELECT n.nspname::text, c.relname::text, c.relkind::text, r.rolname::text, r.rolsuper::text, f.owner, f.schema, f.name,
       (c.relrowsecurity AND NOT c.relforcerowsecurity AND NOT r.rolsuper AND NOT r.rolbypassrls)::text,
       (SELECT jsonb_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)::text,
       -- Those that a default takes its values from, and whether they go with the table by themselves.
       (SELECT jsonb_agg(DISTINCT jsonb_build_array(sn.nspname, s.relname, EXISTS (
                   SELECT 1 FROM pg_depend o WHERE o.classid = 'pg_class'::regclass AND o.objid = s.oid
                   AND o.refclassid = 'pg_class'::regclass AND o.refobjid = c.oid AND o.deptype IN ('a', 'i'))))
        FROM pg_attrdef d JOIN pg_depend u ON u.classid = 'pg_attrdef'::regclass AND u.objid = d.oid
             AND u.refclassid = 'pg_class'::regclass
        JOIN pg_class s ON s.oid = u.refobjid AND s.relkind = 'S' JOIN pg_namespace sn ON sn.oid = s.relnamespace
        WHERE d.adrelid = c.oid)::text,
       -- A key's action writes here as the owner, and so do the triggers that it fires.
       EXISTS (SELECT 1 FROM pg_constraint k JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal
               WHERE k.contype = 'f' AND k.conrelid = c.oid
                 AND ((k.confdeltype = 'c' AND t.tgtype & 8 <> 0)
                      OR ((k.confdeltype IN ('n', 'd') OR k.confupdtype IN ('c', 'n', 'd')) AND t.tgtype & 16 <> 0)))::text
FROM found f JOIN pg_class c ON c.oid = f.oid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_roles r ON r.oid = c.relowner
WHERE r.rolname <> f.owner ORDER BY f.schema, f.name, c.oid

-- name: routines
-- Functions of the declarations $1 (schema, name, owner) that somebody else owns.
SELECT n.nspname::text, p.proname::text, pg_get_function_identity_arguments(p.oid), r.rolname::text, r.rolsuper::text,
       w.owner, p.prosecdef::text
FROM jsonb_to_recordset($1::jsonb) AS w (schema text, name text, owner text)
JOIN pg_namespace n ON n.nspname = w.schema JOIN pg_proc p ON p.pronamespace = n.oid AND p.proname = w.name
JOIN pg_roles r ON r.oid = p.proowner
WHERE r.rolname <> w.owner ORDER BY p.oid

-- name: others
-- What else the roles $1 own in the schemas $2, and no extension holds; sequences, indexes and types of tables aside.
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'S' THEN 'sequence'
                      WHEN 'f' THEN 'foreign table' ELSE 'table' END,
       n.nspname || '.' || c.relname, pg_get_userbyid(c.relowner)::text
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ($2::text[]) AND pg_get_userbyid(c.relowner) = ANY ($1::text[])
  AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND NOT c.relispartition
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                  AND (d.deptype = 'e' OR (c.relkind = 'S' AND d.deptype IN ('a', 'i'))))
UNION ALL
SELECT 'type', n.nspname || '.' || t.typname, pg_get_userbyid(t.typowner)::text
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = ANY ($2::text[]) AND pg_get_userbyid(t.typowner) = ANY ($1::text[]) AND t.typtype IN ('e', 'd', 'r')
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e')
UNION ALL
SELECT 'function', n.nspname || '.' || p.proname, pg_get_userbyid(p.proowner)::text
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = ANY ($2::text[]) AND pg_get_userbyid(p.proowner) = ANY ($1::text[])
  AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
ORDER BY 1, 2

-- name: roles
-- All roles, and whether this login has their rights now and may give itself to them.
SELECT r.rolname::text, pg_has_role(session_user, r.oid, 'USAGE')::text FROM pg_roles r

-- name: patience
-- How long sessions of this server wait before they look for a deadlock (milliseconds), and whether we may say so for ours.
SELECT round(extract(epoch FROM current_setting('deadlock_timeout')::interval) * 1000)::text,
       (current_setting('is_superuser') = 'on')::text
