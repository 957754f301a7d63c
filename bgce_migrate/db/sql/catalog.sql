-- All that a migration can change, one row an object. `at` is the object's address in the catalogs, `of` that of the
-- object it is a part of; both are used while reading only. What is as PostgreSQL makes it by itself is NULL. The reader
-- wraps each block in json_agg. $1: schemas that are left out, a text[]. Objects below 16384 came with the server. `/* of x */`:
-- where only some tables, types and routines are read, x is one of their OIDs.

-- name: namespaces
SELECT 'pg_namespace:' || n.oid AS at, 'schema' AS kind, n.nspname AS name, pg_get_userbyid(n.nspowner) AS owner
FROM pg_namespace n
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL ($1::text[])

-- name: relations
-- A composite type is addressed as the type it is, its columns as those of its relation.
SELECT CASE c.relkind WHEN 'c' THEN 'pg_type:' || c.reltype ELSE 'pg_class:' || c.oid END AS at,
       'pg_class:' || c.oid AS also, n.nspname AS schema, c.relname AS name, pg_get_userbyid(c.relowner) AS owner,
       CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' WHEN 'f' THEN 'foreign table'
                      WHEN 'S' THEN 'sequence' WHEN 'c' THEN 'type' ELSE 'table' END AS kind,
       CASE WHEN c.relpersistence = 'u' THEN true END AS unlogged,
       CASE WHEN c.reltablespace <> 0 THEN (SELECT spcname FROM pg_tablespace WHERE oid = c.reltablespace) END AS tablespace,
       CASE WHEN c.relam <> 2 THEN (SELECT amname FROM pg_am WHERE oid = c.relam) END AS "access method",
       CASE WHEN c.reloptions IS NOT NULL THEN (SELECT json_agg(o ORDER BY o) FROM unnest(c.reloptions) o) END AS options,
       CASE WHEN c.reltoastrelid <> 0 THEN (SELECT json_agg(o ORDER BY o) FROM pg_class t, unnest(t.reloptions) o
                                            WHERE t.oid = c.reltoastrelid) END AS "toast options",
       CASE WHEN c.relrowsecurity THEN true END AS "row security",
       CASE WHEN c.relforcerowsecurity THEN true END AS "row security forced",
       CASE c.relreplident WHEN 'f' THEN 'full' WHEN 'n' THEN CASE WHEN c.relkind IN ('r', 'p') THEN 'nothing' END
                           WHEN 'i' THEN 'index' END AS "replica identity",
       CASE WHEN c.reloftype <> 0 THEN c.reloftype::regtype::text END AS "of type",
       CASE WHEN c.relkind IN ('r', 'f', 'p') AND NOT c.relispartition
            THEN (SELECT json_agg(i.inhparent::regclass::text ORDER BY i.inhseqno) FROM pg_inherits i
                  WHERE i.inhrelid = c.oid) END AS inherits,
       CASE WHEN c.relispartition
            THEN (SELECT i.inhparent::regclass::text || CASE WHEN i.inhdetachpending THEN ', being detached' ELSE '' END
                  FROM pg_inherits i WHERE i.inhrelid = c.oid) END AS "partition of",
       CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END AS "partition bound",
       CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS "partition key",
       CASE WHEN c.relkind = 'm' AND NOT c.relispopulated THEN true END AS "without data",
       CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS definition,
       CASE WHEN c.relkind IN ('v', 'm')
            THEN (SELECT json_agg(DISTINCT d.refobjid::regclass || '.' || a.attname)
                  FROM pg_rewrite w
                  JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
                                  AND d.refclassid = 'pg_class'::regclass AND d.refobjsubid > 0
                  JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
                  WHERE w.ev_class = c.oid AND w.rulename = '_RETURN' AND d.refobjid <> c.oid) END AS uses,
       f.server, f."foreign options"
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN (SELECT t.ftrelid, s.srvname AS server,
                  (SELECT json_agg(o ORDER BY o) FROM unnest(t.ftoptions) o) AS "foreign options"
           FROM pg_foreign_table t JOIN pg_foreign_server s ON s.oid = t.ftserver) f ON f.ftrelid = c.oid
WHERE c.oid >= 16384 /* of c.oid */ AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S', 'c') AND c.relpersistence <> 't'
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL ($1::text[])

-- name: columns
-- In the order of their tables; the numbers themselves have gaps that nobody asked for. Minor releases from November 2026
-- on keep a mark of their own among a column's options.
SELECT 'pg_class:' || a.attrelid || ':' || a.attnum AS at, 'pg_class:' || a.attrelid AS of, a.attname AS name,
       CASE c.relkind WHEN 'c' THEN 'attribute' ELSE 'column' END AS kind,
       format_type(a.atttypid, a.atttypmod) AS type,
       CASE WHEN a.attcollation <> t.typcollation THEN a.attcollation::regcollation::text END AS collation,
       CASE WHEN a.attnotnull THEN true END AS "not null",
       CASE WHEN d.oid IS NOT NULL AND a.attgenerated = '' THEN pg_get_expr(d.adbin, d.adrelid) END AS "default",
       CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END AS identity,
       CASE a.attgenerated WHEN 's' THEN pg_get_expr(d.adbin, d.adrelid) || ' stored'
                           WHEN 'v' THEN pg_get_expr(d.adbin, d.adrelid) || ' virtual' END AS generated,
       CASE WHEN a.attstorage <> t.typstorage
            THEN CASE a.attstorage WHEN 'p' THEN 'plain' WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END
       END AS storage,
       CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END AS compression,
       CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END AS "statistics target",
       CASE WHEN a.attoptions IS NOT NULL
            THEN (SELECT json_agg(o ORDER BY o) FROM unnest(a.attoptions) o WHERE o NOT LIKE 'pg\_attver=%') END AS options,
       CASE WHEN a.attfdwoptions IS NOT NULL
            THEN (SELECT json_agg(o ORDER BY o) FROM unnest(a.attfdwoptions) o) END AS "foreign options",
       CASE WHEN a.attinhcount > 0 THEN CASE WHEN a.attislocal THEN 'and declared here' ELSE 'only' END END AS inherited
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON a.atthasdef AND d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid >= 16384 /* of a.attrelid */ AND a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c')
  AND c.relpersistence <> 't'
ORDER BY a.attrelid, a.attnum

-- name: not_null_names
-- From 18 on NOT NULL is a constraint with a name.
SELECT 'pg_class:' || k.conrelid || ':' || k.conkey[1] AS at, k.conname AS "not null constraint",
       CASE WHEN NOT k.convalidated THEN true END AS "not null not valid",
       CASE WHEN k.connoinherit THEN true END AS "not null not inherited"
FROM pg_constraint k WHERE k.contype = 'n' AND k.conrelid >= 16384 /* of k.conrelid */

-- name: sequences
SELECT 'pg_class:' || s.seqrelid AS at, format_type(s.seqtypid, NULL) AS type, s.seqstart AS start, s.seqmin AS minimum,
       s.seqmax AS maximum, s.seqincrement AS increment, s.seqcache AS cache, CASE WHEN s.seqcycle THEN true END AS cycle,
       (SELECT CASE d.deptype WHEN 'i' THEN 'identity of ' ELSE '' END || d.refobjid::regclass || '.' || a.attname
        FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE d.classid = 'pg_class'::regclass AND d.objid = s.seqrelid AND d.refclassid = 'pg_class'::regclass
          AND d.deptype IN ('a', 'i')) AS "owned by"
FROM pg_sequence s WHERE true /* of s.seqrelid */

-- name: constraints
-- Of tables and of domains. What a partition's foreign key has of its parent's cannot be changed by itself.
SELECT 'pg_constraint:' || k.oid AS at, 'constraint' AS kind, k.conname AS name,
       CASE WHEN k.conrelid <> 0 THEN 'pg_class:' || k.conrelid ELSE 'pg_type:' || k.contypid END AS of,
       pg_get_constraintdef(k.oid) AS definition,
       CASE WHEN k.coninhcount > 0 THEN CASE WHEN k.conislocal THEN 'and declared here' ELSE 'only' END END AS inherited,
       CASE WHEN i.indexrelid IS NOT NULL THEN 'pg_class:' || i.indexrelid END AS also,
       CASE WHEN i.indexrelid IS NOT NULL THEN pg_get_indexdef(i.indexrelid) END AS index,
       CASE WHEN NOT i.indisvalid THEN true END AS "index not valid",
       CASE WHEN i.indisclustered THEN true END AS clustered,
       CASE WHEN i.indisreplident THEN true END AS "replica identity",
       CASE WHEN x.reltablespace <> 0 THEN (SELECT spcname FROM pg_tablespace WHERE oid = x.reltablespace) END AS tablespace,
       CASE WHEN x.relispartition
            THEN (SELECT h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = x.oid) END AS "partition of"
FROM pg_constraint k
LEFT JOIN pg_index i ON i.indexrelid = k.conindid AND k.contype IN ('p', 'u', 'x')
LEFT JOIN pg_class x ON x.oid = i.indexrelid
WHERE k.oid >= 16384 /* of k.conrelid, k.contypid */ AND k.contype IN ('p', 'u', 'x', 'c', 'f') AND (k.contype <> 'f' OR k.conparentid = 0)

-- name: indexes
-- Those that no constraint has.
SELECT 'pg_class:' || x.oid AS at, 'pg_class:' || i.indrelid AS of, 'index' AS kind, n.nspname AS schema,
       x.relname AS name, pg_get_indexdef(x.oid) AS definition,
       CASE WHEN NOT i.indisvalid THEN true END AS "not valid", CASE WHEN NOT i.indisready THEN true END AS "not ready",
       CASE WHEN i.indisclustered THEN true END AS clustered,
       CASE WHEN i.indisreplident THEN true END AS "replica identity",
       CASE WHEN x.reltablespace <> 0 THEN (SELECT spcname FROM pg_tablespace WHERE oid = x.reltablespace) END AS tablespace,
       CASE WHEN x.relispartition
            THEN (SELECT h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = x.oid) END AS "partition of",
       (SELECT json_agg(a.attname || ': ' || a.attstattarget ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = x.oid AND a.attstattarget >= 0) AS "statistics targets"
FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_namespace n ON n.oid = x.relnamespace
LEFT JOIN pg_constraint k ON k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
WHERE x.oid >= 16384 /* of i.indrelid */ AND k.oid IS NULL AND n.nspname !~ '^pg_'

-- name: triggers
-- A partition's copy of its parent's trigger only where it was switched by itself.
SELECT 'pg_trigger:' || t.oid AS at, 'pg_class:' || t.tgrelid AS of, 'trigger' AS kind, t.tgname AS name,
       pg_get_triggerdef(t.oid) AS definition,
       CASE t.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas only' WHEN 'A' THEN 'always' END AS state
FROM pg_trigger t LEFT JOIN pg_trigger p ON p.oid = t.tgparentid
WHERE NOT t.tgisinternal /* of t.tgrelid */ AND (p.oid IS NULL OR p.tgenabled <> t.tgenabled)

-- name: key_triggers
-- A superuser can switch off the triggers that make a foreign key work.
SELECT 'pg_constraint:' || t.tgconstraint AS at,
       json_agg(DISTINCT CASE t.tgenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas only' ELSE 'always' END
                         || ' on ' || t.tgrelid::regclass) AS "key triggers"
FROM pg_trigger t WHERE t.tgisinternal AND t.tgenabled <> 'O' AND t.tgconstraint <> 0 GROUP BY t.tgconstraint

-- name: policies
SELECT 'pg_policy:' || p.oid AS at, 'pg_class:' || p.polrelid AS of, 'policy' AS kind, p.polname AS name,
       CASE p.polcmd WHEN 'r' THEN 'SELECT' WHEN 'a' THEN 'INSERT' WHEN 'w' THEN 'UPDATE' WHEN 'd' THEN 'DELETE'
                     ELSE 'ALL' END AS command,
       CASE WHEN NOT p.polpermissive THEN true END AS restrictive,
       (SELECT json_agg(coalesce(g.rolname, 'PUBLIC') ORDER BY g.rolname) FROM unnest(p.polroles) r
        LEFT JOIN pg_roles g ON g.oid = r) AS roles,
       pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS "check"
FROM pg_policy p WHERE true /* of p.polrelid */

-- name: rules
SELECT 'pg_rewrite:' || w.oid AS at, 'pg_class:' || w.ev_class AS of, 'rule' AS kind, w.rulename AS name,
       pg_get_ruledef(w.oid) AS definition,
       CASE w.ev_enabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas only' WHEN 'A' THEN 'always' END AS state
FROM pg_rewrite w WHERE w.oid >= 16384 /* of w.ev_class */ AND w.rulename <> '_RETURN'

-- name: statistics
SELECT 'pg_statistic_ext:' || s.oid AS at, 'pg_class:' || s.stxrelid AS of, 'statistics' AS kind, n.nspname AS schema,
       s.stxname AS name, pg_get_userbyid(s.stxowner) AS owner, pg_get_statisticsobjdef(s.oid) AS definition,
       CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget END AS "statistics target"
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE true /* of s.stxrelid */

-- name: types
-- Enums, domains, ranges, base and shell types.
SELECT 'pg_type:' || t.oid AS at, n.nspname AS schema, t.typname AS name, pg_get_userbyid(t.typowner) AS owner,
       CASE WHEN t.typtype = 'r' THEN (SELECT 'pg_type:' || r.rngmultitypid FROM pg_range r WHERE r.rngtypid = t.oid) END AS also,
       CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END AS kind,
       CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'r' THEN 'range' WHEN 'b' THEN 'base' WHEN 'p' THEN 'shell' END AS form,
       CASE WHEN t.typtype = 'e' THEN (SELECT coalesce(json_agg(e.enumlabel ORDER BY e.enumsortorder), '[]') FROM pg_enum e
                                       WHERE e.enumtypid = t.oid) END AS labels,
       CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END AS type,
       CASE WHEN t.typnotnull THEN true END AS "not null",
       CASE WHEN t.typtype = 'd' THEN pg_get_expr(t.typdefaultbin, 0) ELSE t.typdefault END AS "default",
       CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation
            THEN t.typcollation::regcollation::text END AS collation,
       CASE WHEN t.typtype = 'r'
            THEN (SELECT json_build_array('of ' || r.rngsubtype::regtype, 'multirange ' || r.rngmultitypid::regtype,
                         'opclass ' || o.opcname, 'collation ' || r.rngcollation::regcollation,
                         'canonical ' || r.rngcanonical, 'difference ' || r.rngsubdiff)
                  FROM pg_range r LEFT JOIN pg_opclass o ON o.oid = r.rngsubopc WHERE r.rngtypid = t.oid) END AS subtype,
       CASE WHEN t.typtype = 'b'
            THEN json_build_array('input ' || t.typinput, 'output ' || t.typoutput, 'receive ' || t.typreceive,
                 'send ' || t.typsend, 'modifiers ' || t.typmodin || ' ' || t.typmodout, 'analyze ' || t.typanalyze,
                 'length ' || t.typlen, 'by value ' || t.typbyval, 'alignment ' || t.typalign::text, 'storage ' || t.typstorage::text,
                 'category ' || t.typcategory::text, 'preferred ' || t.typispreferred, 'delimiter ' || t.typdelim::text,
                 'element ' || t.typelem::regtype, 'subscript ' || t.typsubscript) END AS parts
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_type b ON b.oid = t.typbasetype
WHERE t.oid >= 16384 /* of t.oid */ AND (t.typtype IN ('e', 'd', 'r', 'p')
                          OR (t.typtype = 'b' AND t.typsubscript <> 'array_subscript_handler'::regproc))
  AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL ($1::text[])

-- name: routines
-- Those that came with a range type are a part of it.
SELECT 'pg_proc:' || p.oid AS at, n.nspname AS schema, p.proname AS name, pg_get_userbyid(p.proowner) AS owner,
       (SELECT 'pg_type:' || d.refobjid FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
        AND d.deptype = 'i' AND d.refclassid = 'pg_type'::regclass) AS of,
       CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END AS kind,
       '(' || oidvectortypes(p.proargtypes) || ')' AS signature,
       pg_get_function_arguments(p.oid) AS arguments, pg_get_function_result(p.oid) AS result, l.lanname AS language,
       CASE WHEN p.prosqlbody IS NULL AND p.prokind <> 'a' THEN p.prosrc END AS body,
       CASE WHEN p.prosqlbody IS NOT NULL THEN pg_get_function_sqlbody(p.oid) END AS "sql body",
       p.probin AS "object file", CASE WHEN p.prokind = 'w' THEN true END AS window,
       CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' END AS volatility,
       CASE p.proparallel WHEN 's' THEN 'safe' WHEN 'r' THEN 'restricted' END AS parallel,
       CASE WHEN p.proisstrict THEN true END AS strict, CASE WHEN p.proleakproof THEN true END AS leakproof,
       CASE WHEN p.prosecdef THEN true END AS "security definer",
       CASE WHEN p.procost <> 100 THEN p.procost::text END AS cost, CASE WHEN p.prorows <> 0 THEN p.prorows::text END AS rows,
       CASE WHEN p.prosupport <> 0 THEN p.prosupport::text END AS support,
       (SELECT json_agg(o ORDER BY o) FROM unnest(p.proconfig) o) AS settings,
       (SELECT json_agg(o::regtype::text ORDER BY o::regtype::text) FROM unnest(p.protrftypes) o) AS transforms,
       CASE WHEN p.prokind = 'a'
            THEN (SELECT json_build_array('kind ' || g.aggkind::text, 'state ' || g.aggtransfn || ' ' || g.aggtranstype::regtype,
                         'space ' || g.aggtransspace, 'final ' || g.aggfinalfn || ' ' || g.aggfinalextra::text || g.aggfinalmodify::text,
                         'combine ' || g.aggcombinefn, 'serial ' || g.aggserialfn || ' ' || g.aggdeserialfn,
                         'moving ' || g.aggmtransfn || ' ' || g.aggminvtransfn || ' ' || g.aggmtranstype::regtype,
                         'moving final ' || g.aggmfinalfn || ' ' || g.aggmfinalextra::text || g.aggmfinalmodify::text,
                         'moving space ' || g.aggmtransspace, 'initially ' || coalesce(g.agginitval, 'NULL'),
                         'moving initially ' || coalesce(g.aggminitval, 'NULL'), 'sorted by ' || g.aggsortop::regoper)
                  FROM pg_aggregate g WHERE g.aggfnoid = p.oid) END AS parts
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_language l ON l.oid = p.prolang
WHERE p.oid >= 16384 /* of p.oid */ AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL ($1::text[])
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')

-- name: members
-- What belongs to an extension is the extension's.
SELECT d.classid::regclass || ':' || d.objid AS at FROM pg_depend d WHERE d.deptype = 'e' AND d.objid >= 16384

-- name: comments
SELECT d.classoid::regclass || ':' || d.objoid || CASE WHEN d.objsubid <> 0 THEN ':' || d.objsubid ELSE '' END AS at,
       d.description AS comment
FROM pg_description d WHERE d.objoid >= 16384 OR d.classoid IN ('pg_namespace'::regclass, 'pg_extension'::regclass)
UNION ALL
SELECT 'pg_database:' || d.objoid, d.description FROM pg_shdescription d
WHERE d.classoid = 'pg_database'::regclass AND d.objoid = (SELECT oid FROM pg_database WHERE datname = current_database())

-- name: labels
SELECT l.classoid::regclass || ':' || l.objoid || CASE WHEN l.objsubid <> 0 THEN ':' || l.objsubid ELSE '' END AS at,
       json_agg(l.provider || ': ' || l.label ORDER BY l.provider) AS "security labels"
FROM pg_seclabel l GROUP BY 1

-- name: rights
-- What an ACL says beyond, and short of, what an object has by itself: a NULL ACL and one that spells out the default are
-- the same. One entry a grantee and privilege.
SELECT s.at, json_agg(s.entry ORDER BY s.entry) AS rights
FROM (
    SELECT a.at,
           coalesce(g.rolname, 'PUBLIC') || CASE WHEN x.less THEN ': no ' ELSE ': ' END || x.privilege_type
           || CASE WHEN x.is_grantable THEN ' with grant option' ELSE '' END
           || CASE WHEN x.grantor <> a.owner THEN ' by ' || pg_get_userbyid(x.grantor) ELSE '' END AS entry
    FROM (
        SELECT 'pg_class:' || oid AS at, relacl AS acl, relowner AS owner,
               CASE relkind WHEN 'S' THEN 's' ELSE 'r' END AS class
        FROM pg_class WHERE relacl IS NOT NULL AND oid >= 16384 /* of oid */
        UNION ALL
        SELECT 'pg_class:' || t.attrelid || ':' || t.attnum, t.attacl, c.relowner, 'c'
        FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid
        WHERE t.attacl IS NOT NULL AND t.attrelid >= 16384 /* of t.attrelid */ AND NOT t.attisdropped
        UNION ALL SELECT 'pg_proc:' || oid, proacl, proowner, 'f' FROM pg_proc
                  WHERE proacl IS NOT NULL AND oid >= 16384 /* of oid */
        UNION ALL SELECT 'pg_type:' || oid, typacl, typowner, 'T' FROM pg_type
                  WHERE typacl IS NOT NULL AND oid >= 16384 /* of oid, typrelid */
        UNION ALL SELECT 'pg_namespace:' || oid, nspacl, nspowner, 'n' FROM pg_namespace WHERE nspacl IS NOT NULL
        UNION ALL SELECT 'pg_language:' || oid, lanacl, lanowner, 'l' FROM pg_language
                  WHERE lanacl IS NOT NULL AND oid >= 16384
        UNION ALL SELECT 'pg_foreign_server:' || oid, srvacl, srvowner, 'S' FROM pg_foreign_server WHERE srvacl IS NOT NULL
        UNION ALL SELECT 'pg_foreign_data_wrapper:' || oid, fdwacl, fdwowner, 'F' FROM pg_foreign_data_wrapper
                  WHERE fdwacl IS NOT NULL
        UNION ALL SELECT 'pg_database:' || oid, datacl, datdba, 'd' FROM pg_database
                  WHERE datacl IS NOT NULL AND datname = current_database()
    ) a
    CROSS JOIN LATERAL (
        SELECT e.*, false AS less
        FROM (SELECT * FROM aclexplode(a.acl) EXCEPT SELECT * FROM aclexplode(acldefault(a.class::"char", a.owner))) e
        UNION ALL
        SELECT e.*, true
        FROM (SELECT * FROM aclexplode(acldefault(a.class::"char", a.owner)) EXCEPT SELECT * FROM aclexplode(a.acl)) e
    ) x
    LEFT JOIN pg_roles g ON g.oid = x.grantee
) s GROUP BY s.at

-- name: default_privileges
-- Those for one schema come on top, those for all schemas stand instead of what an owner gives by itself.
SELECT 'pg_default_acl:' || d.oid AS at, 'default privileges' AS kind,
       'of ' || o.rolname || ' on ' || CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences'
           WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END
       || coalesce(' in ' || n.nspname, '') AS label, o.rolname AS owner,
       (SELECT json_agg(e.entry ORDER BY e.entry)
        FROM (SELECT coalesce(g.rolname, 'PUBLIC') || CASE WHEN x.less THEN ': no ' ELSE ': ' END || x.privilege_type
                     || CASE WHEN x.is_grantable THEN ' with grant option' ELSE '' END AS entry
              FROM (SELECT e.*, false AS less
                    FROM (SELECT * FROM aclexplode(d.defaclacl) EXCEPT SELECT * FROM aclexplode(b.acl)) e
                    UNION ALL
                    SELECT e.*, true
                    FROM (SELECT * FROM aclexplode(b.acl) EXCEPT SELECT * FROM aclexplode(d.defaclacl)) e) x
              LEFT JOIN pg_roles g ON g.oid = x.grantee) e) AS rights
FROM pg_default_acl d JOIN pg_roles o ON o.oid = d.defaclrole LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL (SELECT CASE WHEN d.defaclnamespace = 0
    THEN acldefault(CASE d.defaclobjtype WHEN 'S' THEN 's' ELSE d.defaclobjtype END, d.defaclrole) END AS acl) b
WHERE n.nspname IS NULL OR n.nspname <> ALL ($1::text[])
