-- Who may do what, as the catalog has it. $1: the domains' schemas, $2: the owner roles, both as text[]. ACLs of relations
-- and columns come as PostgreSQL's own text, in JSON; a NULL one says nothing but the owner's rights there. Others come one
-- row a grantee and grantor, privileges joined, a star behind those with the grant option, without the owner's own entry.

-- name: relations
-- Everything the owners own, wherever it is, and everything in the schemas, whoever owns it. The last but one: of which
-- table a sequence is an identity column's.
SELECT c.oid::text, n.nspname::text, c.relname::text, c.relkind::text, o.rolname::text, i.refobjid::text,
       to_json(c.relacl::text[])::text,
       CASE WHEN c.relkind <> 'S' THEN
            (SELECT json_agg(a.attname ORDER BY a.attnum)::text FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = c.relowner
LEFT JOIN pg_depend i ON c.relkind = 'S' AND i.classid = 'pg_class'::regclass AND i.objid = c.oid
                     AND i.refclassid = 'pg_class'::regclass AND i.deptype = 'i'
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relpersistence <> 't'
  AND (n.nspname = ANY ($1::text[]) OR o.rolname = ANY ($2::text[]))
ORDER BY n.nspname, c.relname

-- name: column_acl
SELECT a.attrelid::text, a.attname::text, to_json(a.attacl::text[])::text
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_roles o ON o.oid = c.relowner
WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
  AND (n.nspname = ANY ($1::text[]) OR o.rolname = ANY ($2::text[]))
ORDER BY a.attrelid, a.attnum

-- name: sequences
-- Behind serial columns and nextval defaults: by table, the sequence.
SELECT DISTINCT ad.adrelid::text, d.refobjid::text
FROM pg_attrdef ad JOIN pg_class c ON c.oid = ad.adrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_depend d ON d.classid = 'pg_attrdef'::regclass AND d.objid = ad.oid AND d.refclassid = 'pg_class'::regclass
JOIN pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
WHERE n.nspname = ANY ($1::text[]) OR pg_get_userbyid(c.relowner) = ANY ($2::text[])

-- name: functions
-- Those of the owners, and those of declared names ($3) in the schemas, with their ACLs; those of the bookkeeping ($4).
SELECT n.nspname::text, p.proname::text, oidvectortypes(p.proargtypes), o.rolname::text, p.prosecdef::text,
       coalesce(g.rolname, CASE WHEN x.grantee = 0 THEN 'public' END)::text, r.rolname::text,
       string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ',')
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles o ON o.oid = p.proowner
LEFT JOIN LATERAL aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x ON x.grantee <> p.proowner
LEFT JOIN pg_roles g ON g.oid = x.grantee LEFT JOIN pg_roles r ON r.oid = x.grantor
WHERE o.rolname = ANY ($2::text[]) OR n.nspname = $4
   OR (n.nspname = ANY ($1::text[]) AND p.proname = ANY ($3::text[])
       AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
                       AND d.deptype = 'e'))
GROUP BY p.oid, n.nspname, o.rolname, g.rolname, x.grantee, r.rolname ORDER BY n.nspname, p.proname

-- name: types
-- Of the owners $1; neither row types of tables nor array types.
SELECT n.nspname::text, t.typname::text, '', o.rolname::text, '',
       coalesce(g.rolname, CASE WHEN x.grantee = 0 THEN 'public' END)::text, r.rolname::text,
       string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ',')
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_roles o ON o.oid = t.typowner
LEFT JOIN LATERAL aclexplode(coalesce(t.typacl, acldefault('T', t.typowner))) x ON x.grantee <> t.typowner
LEFT JOIN pg_roles g ON g.oid = x.grantee LEFT JOIN pg_roles r ON r.oid = x.grantor
WHERE o.rolname = ANY ($1::text[])
  AND (t.typtype IN ('d', 'e', 'r')
       OR (t.typtype = 'c' AND (SELECT c.relkind FROM pg_class c WHERE c.oid = t.typrelid) = 'c'))
GROUP BY t.oid, n.nspname, o.rolname, g.rolname, x.grantee, r.rolname ORDER BY n.nspname, t.typname

-- name: schemas
SELECT n.nspname::text, n.nspname::text, '', o.rolname::text, '',
       coalesce(g.rolname, CASE WHEN x.grantee = 0 THEN 'public' END)::text, r.rolname::text,
       string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ',')
FROM pg_namespace n JOIN pg_roles o ON o.oid = n.nspowner
LEFT JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x ON x.grantee <> n.nspowner
LEFT JOIN pg_roles g ON g.oid = x.grantee LEFT JOIN pg_roles r ON r.oid = x.grantor
WHERE (n.nspname = ANY ($1::text[]) OR o.rolname = ANY ($2::text[])) AND n.nspname NOT LIKE 'pg\_%'
GROUP BY n.oid, o.rolname, g.rolname, x.grantee, r.rolname

-- name: databases
SELECT '', n.datname::text, '', o.rolname::text, '',
       coalesce(g.rolname, CASE WHEN x.grantee = 0 THEN 'public' END)::text, r.rolname::text,
       string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ',')
FROM pg_database n JOIN pg_roles o ON o.oid = n.datdba
LEFT JOIN LATERAL aclexplode(coalesce(n.datacl, acldefault('d', n.datdba))) x ON x.grantee <> n.datdba
LEFT JOIN pg_roles g ON g.oid = x.grantee LEFT JOIN pg_roles r ON r.oid = x.grantor
WHERE n.datname = current_database()
GROUP BY n.oid, n.datname, o.rolname, g.rolname, x.grantee, r.rolname

-- name: default_acl
-- Without a row of its own, an owner gives everybody EXECUTE on functions and USAGE on types.
SELECT o.rolname::text, '', t.type, coalesce(g.rolname, 'public')::text, x.privilege_type, x.is_grantable::text
FROM pg_roles o CROSS JOIN (VALUES ('r', 'r'), ('S', 's'), ('f', 'f'), ('T', 'T'), ('n', 'n')) t (type, acl)
LEFT JOIN pg_default_acl d ON d.defaclrole = o.oid AND d.defaclnamespace = 0 AND d.defaclobjtype = t.type::"char"
CROSS JOIN LATERAL aclexplode(coalesce(d.defaclacl, acldefault(t.acl::"char", o.oid))) x
LEFT JOIN pg_roles g ON g.oid = x.grantee
WHERE o.rolname = ANY ($1::text[]) AND x.grantee <> o.oid AND (g.oid IS NOT NULL OR x.grantee = 0)
UNION ALL
SELECT o.rolname::text, n.nspname::text, d.defaclobjtype::text, coalesce(g.rolname, 'public')::text, x.privilege_type,
       x.is_grantable::text
FROM pg_default_acl d JOIN pg_roles o ON o.oid = d.defaclrole JOIN pg_namespace n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL aclexplode(d.defaclacl) x LEFT JOIN pg_roles g ON g.oid = x.grantee
WHERE o.rolname = ANY ($1::text[]) AND x.grantee <> o.oid AND (g.oid IS NOT NULL OR x.grantee = 0)

-- name: memberships
-- Of and in the roles $1; up to 15 a member inherits as it itself says, and may always take the role.
SELECT r.rolname::text, m.rolname::text,
       bool_or(coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, m.rolinherit))::text,
       bool_or(coalesce((to_jsonb(a) ->> 'set_option')::boolean, true))::text, bool_or(a.admin_option)::text,
       json_agg(DISTINCT g.rolname)::text
FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
LEFT JOIN pg_roles g ON g.oid = a.grantor
WHERE r.rolname = ANY ($1::text[]) OR m.rolname = ANY ($1::text[])
GROUP BY r.rolname, m.rolname ORDER BY r.rolname, m.rolname

-- name: accounts
-- Which of the roles $1 (and the owners of what we look at) exist, and what this session may do with them.
-- $2: 'SET' from 16 on, 'MEMBER' before.
SELECT r.rolname::text, r.rolcanlogin::text, r.rolsuper::text, r.rolinherit::text,
       pg_has_role(session_user, r.oid, $2)::text, pg_has_role(session_user, r.oid, 'USAGE')::text,
       CASE WHEN current_setting('server_version_num')::integer >= 160000
            THEN pg_has_role(session_user, r.oid, 'MEMBER WITH ADMIN OPTION')
            ELSE (SELECT me.rolcreaterole FROM pg_roles me WHERE me.rolname = session_user) AND NOT r.rolsuper END::text
FROM pg_roles r WHERE r.rolname = ANY ($1::text[])
   OR r.oid IN (SELECT datdba FROM pg_database WHERE datname = current_database())
   OR r.oid IN (SELECT nspowner FROM pg_namespace WHERE nspname = ANY ($3::text[]))
   OR r.oid IN (SELECT c.relowner FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE n.nspname = ANY ($3::text[]))

-- name: session
SELECT session_user::text, r.rolsuper::text, current_database()::text FROM pg_roles r WHERE r.rolname = session_user

-- name: foreign_keys
-- By table and the one it refers to, whoever owns them: owners may be about to be set right.
SELECT cn.nspname::text, c.relname::text, co.rolname::text, pn.nspname::text, p.relname::text,
       (SELECT json_agg(a.attname ORDER BY a.attnum)::text FROM pg_attribute a
        WHERE a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey))
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace JOIN pg_roles co ON co.oid = c.relowner
JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid <> k.conrelid
  AND (cn.nspname = ANY ($1::text[]) OR co.rolname = ANY ($2::text[]))

-- name: view_columns
-- Columns of other relations that views show with their owner's rights.
SELECT vn.nspname::text, v.relname::text, vo.rolname::text, tn.nspname::text, t.relname::text,
       json_agg(DISTINCT a.attname)::text
FROM pg_class v JOIN pg_roles vo ON vo.oid = v.relowner JOIN pg_namespace vn ON vn.oid = v.relnamespace
JOIN pg_rewrite w ON w.ev_class = v.oid AND w.rulename = '_RETURN'
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
                AND d.refobjsubid > 0
JOIN pg_class t ON t.oid = d.refobjid AND t.oid <> v.oid JOIN pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE v.relkind IN ('v', 'm') AND (vn.nspname = ANY ($1::text[]) OR vo.rolname = ANY ($2::text[]))
  AND NOT EXISTS (SELECT 1 FROM unnest(v.reloptions) o
                  WHERE o LIKE 'security_invoker=%' AND split_part(o, '=', 2)::boolean)
GROUP BY vn.nspname, v.relname, vo.rolname, tn.nspname, t.relname

-- name: inheriting
-- Who has whose rights without SET ROLE, over the whole server: member, role. The database's owner is a member of
-- pg_database_owner without a row.
SELECT m.rolname::text, r.rolname::text
FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
WHERE coalesce((to_jsonb(a) ->> 'inherit_option')::boolean, m.rolinherit)
UNION
SELECT o.rolname::text, 'pg_database_owner' FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba
WHERE d.datname = current_database()

-- name: superusers
SELECT rolname::text FROM pg_roles WHERE rolsuper

-- name: shown
-- Views that work with their owner's rights: view, its owner, what can be done through it (bits of
-- pg_relation_is_updatable), and the columns of other relations it uses.
SELECT vn.nspname::text, v.relname::text, pg_get_userbyid(v.relowner)::text,
       pg_relation_is_updatable(v.oid, false)::text, tn.nspname::text, t.relname::text, json_agg(DISTINCT a.attname)::text
FROM pg_class v JOIN pg_namespace vn ON vn.oid = v.relnamespace
JOIN pg_rewrite w ON w.ev_class = v.oid AND w.rulename = '_RETURN'
JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid AND d.refclassid = 'pg_class'::regclass
                AND d.refobjsubid > 0
JOIN pg_class t ON t.oid = d.refobjid AND t.oid <> v.oid JOIN pg_namespace tn ON tn.oid = t.relnamespace
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE v.relkind IN ('v', 'm') AND vn.nspname NOT LIKE 'pg\_%' AND vn.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT 1 FROM unnest(v.reloptions) o
                  WHERE o LIKE 'security_invoker=%' AND split_part(o, '=', 2)::boolean)
GROUP BY v.oid, vn.nspname, v.relname, v.relowner, tn.nspname, t.relname

-- name: definers
-- Functions that run with their owner's rights, with their text.
SELECT n.nspname::text, p.proname::text, oidvectortypes(p.proargtypes), p.prosrc
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE p.prosecdef AND pg_get_userbyid(p.proowner) = ANY ($1::text[])

-- name: cascades
-- Keys that delete or change rows of their own table when the other one changes.
SELECT cn.nspname::text, c.relname::text, pn.nspname::text, p.relname::text, k.conname::text, k.confdeltype::text,
       k.confupdtype::text,
       (SELECT json_agg(a.attname)::text FROM pg_attribute a WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey)),
       (SELECT json_agg(a.attname)::text FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attnum = ANY (k.confkey))
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace cn ON cn.oid = c.relnamespace
JOIN pg_class p ON p.oid = k.confrelid JOIN pg_namespace pn ON pn.oid = p.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND (k.confdeltype IN ('c', 'n', 'd') OR k.confupdtype IN ('c', 'n', 'd'))
