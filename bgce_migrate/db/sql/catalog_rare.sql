-- The rest of the catalogs: what few databases have. As in catalog.sql.

-- name: extensions
SELECT 'pg_extension:' || e.oid AS at, 'extension' AS kind, e.extname AS name, n.nspname AS "in schema", e.extversion AS version
FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace

-- name: event_triggers
SELECT 'pg_event_trigger:' || t.oid AS at, 'event trigger' AS kind, t.evtname AS name, pg_get_userbyid(t.evtowner) AS owner,
       t.evtevent AS event, t.evtfoid::regprocedure::text AS function,
       CASE t.evtenabled WHEN 'D' THEN 'disabled' WHEN 'R' THEN 'on replicas only' WHEN 'A' THEN 'always' END AS state,
       (SELECT json_agg(o ORDER BY o) FROM unnest(t.evttags) o) AS tags
FROM pg_event_trigger t

-- name: publications
SELECT 'pg_publication:' || p.oid AS at, 'publication' AS kind, p.pubname AS name, pg_get_userbyid(p.pubowner) AS owner,
       CASE WHEN p.puballtables THEN true END AS "all tables",
       CASE WHEN p.pubviaroot THEN true END AS "via partition root",
       (SELECT json_agg(o.word) FROM (VALUES (p.pubinsert, 'insert'), (p.pubupdate, 'update'), (p.pubdelete, 'delete'),
                                             (p.pubtruncate, 'truncate')) o (is_on, word) WHERE o.is_on) AS operations,
       CASE to_jsonb(p) ->> 'pubgencols' WHEN 's' THEN 'stored' END AS "generated columns"
FROM pg_publication p

-- name: publication_tables_14
SELECT 'pg_publication:' || r.prpubid AS at, json_agg(r.prrelid::regclass::text ORDER BY r.prrelid::regclass::text) AS tables
FROM pg_publication_rel r GROUP BY r.prpubid

-- name: publication_tables
SELECT 'pg_publication:' || r.prpubid AS at,
       json_agg(r.prrelid::regclass
                || coalesce((SELECT ' (' || string_agg(a.attname, ', ' ORDER BY a.attnum) || ')' FROM pg_attribute a
                             WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)), '')
                || coalesce(' where ' || pg_get_expr(r.prqual, r.prrelid), '')
                ORDER BY r.prrelid::regclass::text) AS tables
FROM pg_publication_rel r GROUP BY r.prpubid

-- name: publication_schemas
SELECT 'pg_publication:' || r.pnpubid AS at, json_agg(n.nspname ORDER BY n.nspname) AS schemas
FROM pg_publication_namespace r JOIN pg_namespace n ON n.oid = r.pnnspid GROUP BY r.pnpubid

-- name: subscriptions
SELECT 'pg_subscription:' || s.oid AS at, 'subscription' AS kind, s.subname AS name, pg_get_userbyid(s.subowner) AS owner,
       CASE WHEN NOT s.subenabled THEN true END AS disabled, s.subslotname AS slot, s.subsynccommit AS "synchronous commit",
       CASE WHEN s.subbinary THEN true END AS "binary", to_json(s.subpublications) AS publications
FROM pg_subscription s WHERE s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())

-- name: operators
SELECT 'pg_operator:' || o.oid AS at, 'operator' AS kind, n.nspname AS schema, o.oprname AS symbol,
       ' (' || coalesce(nullif(o.oprleft, 0)::regtype::text, 'none') || ', ' || o.oprright::regtype || ')' AS signature,
       pg_get_userbyid(o.oprowner) AS owner, o.oprcode::regprocedure::text AS function,
       CASE WHEN o.oprcom <> 0 THEN o.oprcom::regoperator::text END AS commutator,
       CASE WHEN o.oprnegate <> 0 THEN o.oprnegate::regoperator::text END AS negator,
       CASE WHEN o.oprrest <> 0 THEN o.oprrest::text END AS restrict, CASE WHEN o.oprjoin <> 0 THEN o.oprjoin::text END AS "join",
       CASE WHEN o.oprcanmerge THEN true END AS merges, CASE WHEN o.oprcanhash THEN true END AS hashes
FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace WHERE o.oid >= 16384 AND n.nspname <> ALL ($1::text[])

-- name: operator_families
SELECT 'pg_opfamily:' || f.oid AS at, 'operator family' AS kind, n.nspname AS schema, f.opfname AS name,
       ' using ' || m.amname AS signature, pg_get_userbyid(f.opfowner) AS owner,
       (SELECT json_agg(o.entry ORDER BY o.entry)
        FROM (SELECT 'operator ' || a.amopstrategy || ' ' || a.amopopr::regoperator
                     || CASE WHEN a.amoppurpose = 'o' THEN ' for order by' ELSE '' END AS entry
              FROM pg_amop a WHERE a.amopfamily = f.oid
              UNION ALL
              SELECT 'function ' || a.amprocnum || ' (' || a.amproclefttype::regtype || ', ' || a.amprocrighttype::regtype || ') '
                     || a.amproc::regprocedure FROM pg_amproc a WHERE a.amprocfamily = f.oid) o) AS members
FROM pg_opfamily f JOIN pg_namespace n ON n.oid = f.opfnamespace JOIN pg_am m ON m.oid = f.opfmethod
WHERE f.oid >= 16384 AND n.nspname <> ALL ($1::text[])

-- name: operator_classes
SELECT 'pg_opclass:' || c.oid AS at, 'operator class' AS kind, n.nspname AS schema, c.opcname AS name,
       ' using ' || m.amname AS signature, pg_get_userbyid(c.opcowner) AS owner, c.opcintype::regtype::text AS type,
       CASE WHEN c.opcdefault THEN true END AS "default",
       CASE WHEN c.opckeytype <> 0 THEN c.opckeytype::regtype::text END AS storage, fn.nspname || '.' || f.opfname AS family
FROM pg_opclass c JOIN pg_namespace n ON n.oid = c.opcnamespace JOIN pg_am m ON m.oid = c.opcmethod
JOIN pg_opfamily f ON f.oid = c.opcfamily JOIN pg_namespace fn ON fn.oid = f.opfnamespace
WHERE c.oid >= 16384 AND n.nspname <> ALL ($1::text[])

-- name: casts
SELECT 'pg_cast:' || c.oid AS at, 'cast' AS kind, '(' || c.castsource::regtype || ' AS ' || c.casttarget::regtype || ')' AS label,
       (SELECT 'pg_type:' || d.refobjid FROM pg_depend d WHERE d.classid = 'pg_cast'::regclass AND d.objid = c.oid
        AND d.deptype = 'i' AND d.refclassid = 'pg_type'::regclass LIMIT 1) AS of,
       CASE WHEN c.castfunc <> 0 THEN c.castfunc::regprocedure::text END AS function,
       CASE c.castcontext WHEN 'i' THEN 'implicit' WHEN 'a' THEN 'assignment' ELSE 'explicit' END AS context,
       CASE c.castmethod WHEN 'b' THEN 'binary' WHEN 'i' THEN 'inout' ELSE 'function' END AS method
FROM pg_cast c WHERE c.oid >= 16384

-- name: collations
SELECT 'pg_collation:' || c.oid AS at, 'collation' AS kind, n.nspname AS schema, c.collname AS name,
       pg_get_userbyid(c.collowner) AS owner, c.collprovider AS provider,
       CASE WHEN NOT c.collisdeterministic THEN true END AS nondeterministic,
       -- The locale's column has had three names.
       coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', to_jsonb(c) ->> 'collcollate') AS locale,
       CASE WHEN c.collctype IS DISTINCT FROM c.collcollate THEN c.collctype END AS ctype,
       to_jsonb(c) ->> 'collicurules' AS rules
FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace WHERE c.oid >= 16384 AND n.nspname <> ALL ($1::text[])

-- name: conversions
SELECT 'pg_conversion:' || c.oid AS at, 'conversion' AS kind, n.nspname AS schema, c.conname AS name,
       pg_get_userbyid(c.conowner) AS owner, pg_encoding_to_char(c.conforencoding) AS "from",
       pg_encoding_to_char(c.contoencoding) AS "to", c.conproc::text AS function, CASE WHEN c.condefault THEN true END AS "default"
FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.oid >= 16384

-- name: text_search
SELECT 'pg_ts_config:' || c.oid AS at, 'text search configuration' AS kind, n.nspname AS schema, c.cfgname AS name,
       pg_get_userbyid(c.cfgowner) AS owner, p.prsname AS parser,
       (SELECT json_agg(m.entry ORDER BY m.entry)
        FROM (SELECT t.alias || ': ' || string_agg(m.mapdict::regdictionary::text, ', ' ORDER BY m.mapseqno) AS entry
              FROM pg_ts_config_map m JOIN ts_token_type(c.cfgparser) t ON t.tokid = m.maptokentype
              WHERE m.mapcfg = c.oid GROUP BY t.alias) m) AS mappings, NULL AS template, NULL AS options, NULL::json AS functions
FROM pg_ts_config c JOIN pg_namespace n ON n.oid = c.cfgnamespace JOIN pg_ts_parser p ON p.oid = c.cfgparser
WHERE c.oid >= 16384 AND n.nspname <> ALL ($1::text[])
UNION ALL
SELECT 'pg_ts_dict:' || d.oid, 'text search dictionary', n.nspname, d.dictname, pg_get_userbyid(d.dictowner), NULL, NULL,
       t.tmplname, d.dictinitoption, NULL
FROM pg_ts_dict d JOIN pg_namespace n ON n.oid = d.dictnamespace JOIN pg_ts_template t ON t.oid = d.dicttemplate
WHERE d.oid >= 16384 AND n.nspname <> ALL ($1::text[])
UNION ALL
SELECT 'pg_ts_parser:' || p.oid, 'text search parser', n.nspname, p.prsname, NULL, NULL, NULL, NULL, NULL,
       json_build_array(p.prsstart::text, p.prstoken::text, p.prsend::text, p.prsheadline::text, p.prslextype::text)
FROM pg_ts_parser p JOIN pg_namespace n ON n.oid = p.prsnamespace WHERE p.oid >= 16384
UNION ALL
SELECT 'pg_ts_template:' || t.oid, 'text search template', n.nspname, t.tmplname, NULL, NULL, NULL, NULL, NULL,
       json_build_array(t.tmplinit::text, t.tmpllexize::text)
FROM pg_ts_template t JOIN pg_namespace n ON n.oid = t.tmplnamespace WHERE t.oid >= 16384

-- name: languages
SELECT 'pg_language:' || l.oid AS at, 'language' AS kind, l.lanname AS name, pg_get_userbyid(l.lanowner) AS owner,
       CASE WHEN l.lanpltrusted THEN true END AS trusted,
       CASE WHEN l.lanplcallfoid <> 0 THEN l.lanplcallfoid::regprocedure::text END AS handler,
       CASE WHEN l.laninline <> 0 THEN l.laninline::regprocedure::text END AS inline,
       CASE WHEN l.lanvalidator <> 0 THEN l.lanvalidator::regprocedure::text END AS validator
FROM pg_language l WHERE l.oid >= 16384

-- name: transforms
SELECT 'pg_transform:' || t.oid AS at, 'transform' AS kind, 'for ' || t.trftype::regtype || ' language ' || l.lanname AS label,
       t.trffromsql::regprocedure::text AS "from sql", t.trftosql::regprocedure::text AS "to sql"
FROM pg_transform t JOIN pg_language l ON l.oid = t.trflang WHERE t.oid >= 16384

-- name: access_methods
SELECT 'pg_am:' || m.oid AS at, 'access method' AS kind, m.amname AS name, m.amhandler::text AS handler, m.amtype AS type
FROM pg_am m WHERE m.oid >= 16384

-- name: foreign_data
-- Of a user mapping only that it is there: its options hold passwords, and few may read them.
SELECT 'pg_foreign_data_wrapper:' || w.oid AS at, 'foreign data wrapper' AS kind, w.fdwname AS name, NULL AS label,
       pg_get_userbyid(w.fdwowner) AS owner, NULL AS wrapper, NULL AS type, NULL AS version,
       CASE WHEN w.fdwhandler <> 0 THEN w.fdwhandler::regprocedure::text END AS handler,
       CASE WHEN w.fdwvalidator <> 0 THEN w.fdwvalidator::regprocedure::text END AS validator,
       (SELECT json_agg(o ORDER BY o) FROM unnest(w.fdwoptions) o) AS options
FROM pg_foreign_data_wrapper w
UNION ALL
SELECT 'pg_foreign_server:' || s.oid, 'server', s.srvname, NULL, pg_get_userbyid(s.srvowner), w.fdwname, s.srvtype,
       s.srvversion, NULL, NULL, (SELECT json_agg(o ORDER BY o) FROM unnest(s.srvoptions) o)
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
UNION ALL
SELECT 'pg_user_mapping:' || m.umid, 'user mapping', NULL, 'for ' || coalesce(m.usename, 'PUBLIC') || ' on ' || m.srvname,
       NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM pg_user_mappings m

-- name: database
SELECT 'pg_database:' || d.oid AS at, 'database' AS kind, 'itself' AS label, pg_get_userbyid(d.datdba) AS owner,
       CASE WHEN d.datconnlimit >= 0 THEN d.datconnlimit END AS "connection limit",
       CASE WHEN d.dattablespace <> 1663 THEN (SELECT spcname FROM pg_tablespace WHERE oid = d.dattablespace) END AS tablespace,
       NULL AS settings
FROM pg_database d WHERE d.datname = current_database()
UNION ALL
SELECT 'pg_db_role_setting:' || s.setrole, 'settings', 'of ' || coalesce(pg_get_userbyid(nullif(s.setrole, 0)), 'every role'),
       NULL, NULL, NULL, (SELECT json_agg(o ORDER BY o) FROM unnest(s.setconfig) o)
FROM pg_db_role_setting s WHERE s.setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
