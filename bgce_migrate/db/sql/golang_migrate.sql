-- The version tables of golang-migrate that are kept true: only where [compat] is set. {schema} is filled in.

-- name: functions
CREATE TABLE IF NOT EXISTS {schema}.golang_migrate (
    domain text PRIMARY KEY, table_schema text NOT NULL, table_name text NOT NULL, UNIQUE (table_schema, table_name));

-- A domain's version table by its quoted name, locked, and surely nothing but one. It may be its domain's or a
-- service's own: whatever they have hung on it (a trigger, a rule, a policy, an index on a function) would run as us.
CREATE OR REPLACE FUNCTION {schema}.version_table(p_domain text, p_mode text) RETURNS text
    LANGUAGE plpgsql AS $body$
DECLARE
    v_name text;
BEGIN
    SELECT format('%I.%I', g.table_schema, g.table_name) INTO v_name
        FROM {schema}.golang_migrate g WHERE g.domain = p_domain;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no version table is known for domain %', p_domain
            USING ERRCODE = 'BG004', HINT = 'bgce-migrate bootstrap makes it, where [compat] golang_migrate is set';
    END IF;
    -- From here on nobody else can hang anything on it.
    EXECUTE format('LOCK TABLE ONLY %s IN %s MODE', v_name, p_mode);
    -- Keys to others are triggers; of what inherits from it nothing is touched (ONLY).
    PERFORM 1 FROM pg_class c
    WHERE c.oid = v_name::regclass AND c.relkind = 'r' AND NOT c.relispartition AND NOT c.relrowsecurity AND c.relchecks = 0
      AND (NOT c.relhastriggers OR NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid))
      AND (NOT c.relhasrules OR NOT EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid))
      AND (SELECT array_agg(a.attname::text || ' ' || a.atttypid::text || a.atthasdef::text ORDER BY a.attname)
           FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
          = ARRAY['dirty 16false', 'version 20false']
      AND NOT EXISTS (SELECT FROM pg_index i
                      WHERE i.indrelid = c.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL
                                                    OR 16384 <= ANY (i.indclass::oid[])));
    IF NOT FOUND THEN
        RAISE EXCEPTION '% is not a version table as golang-migrate makes it, with nothing hanging on it', v_name
            USING ERRCODE = 'BG004', HINT = 'take triggers, rules, policies and further columns off it; or rename it';
    END IF;
    RETURN v_name;
END $body$;

-- Writes the row of a domain. p_attempt: of the step under way in this transaction; NULL beside one. p_version NULL
-- and not dirty: nothing is applied, so no row.
CREATE OR REPLACE FUNCTION {schema}.keep_version(
    p_epoch bigint, p_attempt uuid, p_domain text, p_version bigint, p_dirty boolean) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v_name text;
    v_count bigint;
BEGIN
    IF p_attempt IS NULL THEN
        PERFORM {schema}.require_login(p_domain);
        PERFORM {schema}.require_epoch(p_epoch);
    ELSE
        PERFORM 1 FROM {schema}.guard g
            WHERE g.attempt_id = p_attempt AND g.domain = p_domain AND g.xid = pg_current_xact_id_if_assigned();
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the transaction that began this step is over: something in it ended it'
                USING ERRCODE = 'BG002', HINT = 'take transaction control out of the file';
        END IF;
    END IF;
    v_name := {schema}.version_table(p_domain, 'ROW EXCLUSIVE');
    -- Not TRUNCATE, as golang-migrate does: nobody who reads it has to wait.
    IF p_version IS NOT NULL THEN
        EXECUTE format('UPDATE ONLY %1$s SET version = $1, dirty = $2 WHERE (SELECT count(*) FROM ONLY %1$s) = 1', v_name)
            USING p_version, p_dirty;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        IF v_count = 1 THEN
            RETURN;
        END IF;
    END IF;
    EXECUTE format('DELETE FROM ONLY %s', v_name);
    IF p_version IS NOT NULL THEN
        EXECUTE format('INSERT INTO %s (version, dirty) VALUES ($1, $2)', v_name) USING p_version, p_dirty;
    END IF;
END $body$;

-- What every known version table says; `fault` where it cannot be told.
CREATE OR REPLACE FUNCTION {schema}.version_rows() RETURNS TABLE (
    domain text, table_schema text, table_name text, version bigint, dirty boolean, fault text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    g record;
    v_count bigint;
BEGIN
    FOR g IN SELECT * FROM {schema}.golang_migrate ORDER BY 1 LOOP
        domain := g.domain;
        table_schema := g.table_schema;
        table_name := g.table_name;
        version := NULL;
        dirty := NULL;
        fault := NULL;
        BEGIN
            EXECUTE format('SELECT count(*), max(version), bool_or(dirty) FROM ONLY %s',
                           {schema}.version_table(g.domain, 'ACCESS SHARE')) INTO v_count, version, dirty;
            IF v_count > 1 THEN
                fault := format('%I.%I has %s rows', g.table_schema, g.table_name, v_count);
            END IF;
        EXCEPTION
            WHEN lock_not_available THEN
                RAISE;
            WHEN OTHERS THEN
                fault := SQLERRM;
        END;
        RETURN NEXT;
    END LOOP;
END $body$;

-- No secret: `bootstrap` asks as another login.
GRANT SELECT ON {schema}.golang_migrate TO PUBLIC;
REVOKE ALL ON FUNCTION {schema}.version_table(text, text), {schema}.keep_version(bigint, uuid, text, bigint, boolean),
    {schema}.version_rows() FROM PUBLIC;

-- name: rows
SELECT r.domain, r.table_schema, r.table_name, r.version::text, r.dirty::text, r.fault FROM {schema}.version_rows() r

-- name: rows_exist
-- Whether anything is known of version tables here, and whether this login may read it.
SELECT (p.oid IS NOT NULL)::text, coalesce(has_function_privilege(p.oid, 'EXECUTE'), false)::text
FROM (SELECT to_regprocedure($1) AS oid) p

-- name: registered
SELECT domain, table_schema, table_name FROM {schema}.golang_migrate

-- name: tables
-- What there is of the tables $1 (domain, schema, name): owner, and who holds what on them.
SELECT w.domain, pg_get_userbyid(c.relowner)::text, r.rolname::text, a.privilege_type
FROM jsonb_to_recordset($1::jsonb) AS w (domain text, schema text, name text)
JOIN pg_namespace n ON n.nspname = w.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
LEFT JOIN LATERAL aclexplode(c.relacl) a ON true LEFT JOIN pg_roles r ON r.oid = a.grantee

-- name: executors
-- Who may write rows here (by the function $2), and who may use the schemas $1.
SELECT 'login', r.rolname::text, '' FROM pg_proc p CROSS JOIN LATERAL aclexplode(p.proacl) a
JOIN pg_roles r ON r.oid = a.grantee WHERE p.oid = to_regprocedure($2)
UNION ALL
SELECT 'usage', CASE WHEN a.grantee = 0 THEN '' ELSE r.rolname::text END, n.nspname::text
FROM pg_namespace n CROSS JOIN LATERAL aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) a
LEFT JOIN pg_roles r ON r.oid = a.grantee
WHERE n.nspname = ANY ($1::text[]) AND a.privilege_type = 'USAGE'
