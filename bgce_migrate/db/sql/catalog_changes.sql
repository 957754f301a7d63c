-- What of the catalog is not as it was: a stamp of every table, type and routine that moves whenever one of its rows does
-- (no two versions of a row have both place and writer in common), and what else has to be read again because of it.

-- name: stamps
-- One text: kind (c, t or p), OID and stamp of each, apart by blanks, one after the other. The difference of two ages is
-- that of two transactions' numbers, and cheaper than their text.
WITH relation (oid, at, writer, n) AS (
    SELECT oid, ctid, xmin, 0 FROM pg_class WHERE oid >= 16384
    UNION ALL SELECT attrelid, ctid, xmin, 1 FROM pg_attribute WHERE attrelid >= 16384 AND attnum > 0
    UNION ALL SELECT adrelid, ctid, xmin, 2 FROM pg_attrdef WHERE oid >= 16384
    UNION ALL SELECT conrelid, ctid, xmin, 3 FROM pg_constraint WHERE oid >= 16384 AND conrelid <> 0
    UNION ALL SELECT indrelid, ctid, xmin, 4 FROM pg_index WHERE indexrelid >= 16384
    UNION ALL SELECT tgrelid, ctid, xmin, 5 FROM pg_trigger WHERE oid >= 16384
    UNION ALL SELECT polrelid, ctid, xmin, 6 FROM pg_policy
    UNION ALL SELECT ev_class, ctid, xmin, 7 FROM pg_rewrite WHERE oid >= 16384
    UNION ALL SELECT stxrelid, ctid, xmin, 8 FROM pg_statistic_ext
    UNION ALL SELECT inhrelid, ctid, xmin, 9 FROM pg_inherits
    UNION ALL SELECT ftrelid, ctid, xmin, 10 FROM pg_foreign_table
    UNION ALL SELECT seqrelid, ctid, xmin, 11 FROM pg_sequence
    UNION ALL SELECT typrelid, ctid, xmin, 12 FROM pg_type WHERE oid >= 16384 AND typrelid <> 0
    UNION ALL SELECT objoid, ctid, xmin, 13 FROM pg_description
              WHERE objoid >= 16384 AND classoid = 'pg_class'::regclass
), type (oid, at, writer, n) AS (
    SELECT oid, ctid, xmin, 0 FROM pg_type
    WHERE oid >= 16384 AND typrelid = 0 AND typsubscript <> 'array_subscript_handler'::regproc
    UNION ALL SELECT enumtypid, ctid, xmin, 1 FROM pg_enum
    UNION ALL SELECT rngtypid, ctid, xmin, 2 FROM pg_range WHERE rngtypid >= 16384
    UNION ALL SELECT contypid, ctid, xmin, 3 FROM pg_constraint WHERE oid >= 16384 AND contypid <> 0
    UNION ALL SELECT objoid, ctid, xmin, 13 FROM pg_description
              WHERE objoid >= 16384 AND classoid = 'pg_type'::regclass
), routine (oid, at, writer, n) AS (
    SELECT oid, ctid, xmin, 0 FROM pg_proc WHERE oid >= 16384
    UNION ALL SELECT aggfnoid, ctid, xmin, 1 FROM pg_aggregate WHERE aggfnoid >= 16384
    UNION ALL SELECT objoid, ctid, xmin, 13 FROM pg_description
              WHERE objoid >= 16384 AND classoid = 'pg_proc'::regclass
), stamped (kind, oid, stamp) AS (
    SELECT 'c'::"char", oid, bit_xor(hashtidextended(at, (age(writer) - (SELECT age('3'::xid)))::bigint * 16 + n))
    FROM relation GROUP BY oid
    UNION ALL
    SELECT 't', oid, bit_xor(hashtidextended(at, (age(writer) - (SELECT age('3'::xid)))::bigint * 16 + n))
    FROM type GROUP BY oid
    UNION ALL
    SELECT 'p', oid, bit_xor(hashtidextended(at, (age(writer) - (SELECT age('3'::xid)))::bigint * 16 + n))
    FROM routine GROUP BY oid
)
-- What an index or a table's toast has is the table's, what a multirange has its range's.
SELECT string_agg(concat_ws(' ', x.kind, x.oid, x.stamp), ' ')
FROM (SELECT s.kind, coalesce(i.indrelid, h.oid, g.rngtypid, s.oid) AS oid, bit_xor(s.stamp) AS stamp FROM stamped s
      LEFT JOIN pg_index i ON s.kind = 'c' AND i.indexrelid = s.oid
      LEFT JOIN pg_class h ON s.kind = 'c' AND h.reltoastrelid = s.oid AND h.oid >= 16384
      LEFT JOIN pg_range g ON s.kind = 't' AND g.rngmultitypid = s.oid
      GROUP BY 1, 2) x

-- name: rest
-- A stamp of all that is read as a whole or not at all.
SELECT concat_ws(' ',
    (SELECT string_agg(oid || rolname, ' ' ORDER BY oid) FROM pg_roles),
    (SELECT string_agg(oid || spcname, ' ' ORDER BY oid) FROM pg_tablespace),
    (SELECT string_agg(row (s.oid, s.subname, s.subowner, s.subenabled, s.subslotname, s.subsynccommit, s.subbinary,
                            s.subpublications)::text, ' ' ORDER BY s.oid) FROM pg_subscription s),
    (SELECT string_agg(umid || srvname || usename, ' ' ORDER BY umid) FROM pg_user_mappings),
    (SELECT bit_xor(hash_record_extended(row (o.place, o.at, o.writer), 0)) FROM (
        SELECT tableoid AS place, ctid AS at, xmin AS writer FROM pg_namespace
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_extension
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_depend WHERE refclassid = 'pg_extension'::regclass AND deptype = 'e'
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_event_trigger
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_publication
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_publication_rel
        UNION ALL SELECT tableoid, ctid, xmin FROM {publication_namespace}
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_operator WHERE oid >= 16384
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_opfamily WHERE oid >= 16384
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_opclass WHERE oid >= 16384
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_amop WHERE oid >= 16384
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_amproc WHERE oid >= 16384
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_cast WHERE oid >= 16384
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_collation WHERE oid >= 16384
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_conversion WHERE oid >= 16384
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_ts_config WHERE oid >= 16384
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_ts_config_map WHERE mapcfg >= 16384
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_ts_dict WHERE oid >= 16384
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_ts_parser WHERE oid >= 16384
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_ts_template WHERE oid >= 16384
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_language WHERE oid >= 16384
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_transform
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_am WHERE oid >= 16384
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_foreign_data_wrapper
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_foreign_server
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_default_acl
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_seclabel
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_description
                  WHERE (objoid >= 16384 AND classoid NOT IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass))
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_description
                  WHERE objoid < 16384 AND classoid IN ('pg_namespace'::regclass, 'pg_extension'::regclass)
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_shdescription WHERE classoid = 'pg_database'::regclass
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_db_role_setting
                  WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
        UNION ALL SELECT tableoid, ctid, xmin FROM pg_database WHERE datname = current_database()
    ) o))

-- name: dependents
-- The tables, types and routines whose texts name one of $2, and of $3 those that are queries: what they call the columns
-- of a table hangs on what columns it has. 0: what is neither.
SELECT DISTINCT coalesce(CASE d.classid
           WHEN 'pg_class'::regclass THEN coalesce((SELECT i.indrelid FROM pg_index i WHERE i.indexrelid = d.objid), d.objid)
           WHEN 'pg_type'::regclass THEN d.objid
           WHEN 'pg_proc'::regclass THEN d.objid
           WHEN 'pg_rewrite'::regclass THEN (SELECT w.ev_class FROM pg_rewrite w WHERE w.oid = d.objid)
           WHEN 'pg_attrdef'::regclass THEN (SELECT a.adrelid FROM pg_attrdef a WHERE a.oid = d.objid)
           WHEN 'pg_constraint'::regclass
           THEN (SELECT CASE k.conrelid WHEN 0 THEN k.contypid ELSE k.conrelid END FROM pg_constraint k WHERE k.oid = d.objid)
           WHEN 'pg_trigger'::regclass THEN (SELECT t.tgrelid FROM pg_trigger t WHERE t.oid = d.objid)
           WHEN 'pg_policy'::regclass THEN (SELECT p.polrelid FROM pg_policy p WHERE p.oid = d.objid)
           WHEN 'pg_statistic_ext'::regclass THEN (SELECT s.stxrelid FROM pg_statistic_ext s WHERE s.oid = d.objid)
       END, 0)::text AS root
FROM pg_depend d
WHERE d.refclassid IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass)
  AND d.refobjid = ANY (ARRAY(
    SELECT o.oid FROM unnest($2::oid[] || $3::oid[]) o (oid)
    -- A table is a type, too, and every type has its array and may have its multirange.
    UNION ALL SELECT c.reltype FROM pg_class c WHERE c.oid = ANY ($2)
    UNION ALL SELECT t.typarray FROM pg_class c JOIN pg_type t ON t.oid = c.reltype WHERE c.oid = ANY ($2)
    UNION ALL SELECT t.typarray FROM pg_type t WHERE t.oid = ANY ($2)
    UNION ALL SELECT g.rngmultitypid FROM pg_range g WHERE g.rngtypid = ANY ($2)
    UNION ALL SELECT t.typarray FROM pg_range g JOIN pg_type t ON t.oid = g.rngmultitypid WHERE g.rngtypid = ANY ($2)))
  AND (d.classid IN ('pg_rewrite'::regclass, 'pg_proc'::regclass, 'pg_policy'::regclass) OR NOT d.refobjid = ANY ($3)
       OR d.refobjid = ANY ($2))
  AND d.refobjid <> 0

-- name: positions
-- Where sequences stand, as far as this role may see: what takes a number takes it for good, whatever is rolled back.
SELECT s.seqrelid::text, s.seqstart::text, pg_sequence_last_value(s.seqrelid)::text FROM pg_sequence s
WHERE s.seqrelid >= 16384 AND has_sequence_privilege(s.seqrelid, 'SELECT') AND has_sequence_privilege(s.seqrelid, 'UPDATE')

-- name: put_back
SELECT setval($1::oid::regclass, $2::bigint, $3::boolean)
