-- name: tables
-- Everything the tool records. {schema} and {layout} are filled in by statements.py.
CREATE TABLE {schema}.meta (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    bookkeeping_version integer NOT NULL,
    layout text NOT NULL CHECK (layout IN ('guarded', 'plain')),
    system_identifier text NOT NULL,
    database_oid bigint NOT NULL,
    database_name text NOT NULL,
    timeline integer NOT NULL
);
-- The run lock: no columns, no rows. Who may UPDATE it may lead a run.
CREATE TABLE {schema}.run_lock ();
-- One row. A leader raises n; every step holds it FOR SHARE.
CREATE TABLE {schema}.epoch (n bigint NOT NULL, run_id uuid);
CREATE TABLE {schema}.run (
    run_id uuid PRIMARY KEY,
    epoch bigint NOT NULL,
    command text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    host text, os_user text, login text NOT NULL DEFAULT session_user,
    deployment text, git_commit text, tool_version text NOT NULL
);
-- Which login may record steps of which domain ('*' in layout plain).
CREATE TABLE {schema}.domain_login (login text NOT NULL, domain text NOT NULL, PRIMARY KEY (login, domain));
-- A row is open while a step runs. It refers to a table that is always empty, checked at COMMIT: whatever commits,
-- chains or prepares the transaction before finish_step has taken the row away rolls the whole step back (23503).
CREATE TABLE {schema}.guard_never (attempt_id uuid PRIMARY KEY CHECK (false));
CREATE TABLE {schema}.guard (
    attempt_id uuid PRIMARY KEY
        REFERENCES {schema}.guard_never (attempt_id) DEFERRABLE INITIALLY DEFERRED,
    domain text NOT NULL,
    xid xid8 NOT NULL,
    previous_hash text NOT NULL
);
CREATE TABLE {schema}.migration_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id uuid NOT NULL,
    attempt_id uuid NOT NULL UNIQUE,
    deployment text,
    sequence bigint NOT NULL,
    service_name text NOT NULL,
    version bigint,
    name text NOT NULL,
    direction text NOT NULL
        CHECK (direction IN ('up', 'down', 'mark_applied', 'mark_reverted', 'correction')),
    applied_at timestamptz NOT NULL,
    execution_time_ms bigint NOT NULL,
    success boolean NOT NULL,
    checksum text,
    up_sql text,
    down_sql text,
    requires text[] NOT NULL,
    error text,
    applied_by text NOT NULL,
    git_commit text,
    tool_version text NOT NULL,
    previous_hash text NOT NULL,
    row_hash text NOT NULL,
    UNIQUE (service_name, previous_hash),
    UNIQUE (service_name, sequence)
);
-- Units of files that do not run in one transaction. Closed when the file's history row is written.
CREATE TABLE {schema}.journal (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service_name text NOT NULL,
    version bigint NOT NULL,
    direction text NOT NULL CHECK (direction IN ('up', 'down')),
    unit integer NOT NULL,
    unit_hash text NOT NULL,
    kind text NOT NULL,
    run_id uuid NOT NULL,
    backend_pid integer NOT NULL,
    backend_start timestamptz,
    intent_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done_at timestamptz,
    evidence text,
    closed boolean NOT NULL DEFAULT false
);
CREATE UNIQUE INDEX journal_open_idx ON {schema}.journal (service_name, version, direction, unit) WHERE NOT closed;

-- name: requests
-- What another terminal asks of a run that is under way. Only grows, as the history does: who paused and who cancelled.
CREATE TABLE IF NOT EXISTS {schema}.request (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id uuid NOT NULL,
    what text NOT NULL CHECK (what IN ('pause', 'resume', 'cancel')),
    asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    asked_by text NOT NULL,
    login text NOT NULL DEFAULT session_user
);

-- name: ends
-- Where in the WAL a run has ended: a standby that has replayed so far shows everything of that run.
ALTER TABLE {schema}.run
    ADD COLUMN IF NOT EXISTS end_position pg_lsn,
    ADD COLUMN IF NOT EXISTS end_timeline integer;

-- name: protect
-- History only grows.
CREATE FUNCTION {schema}.refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    RAISE EXCEPTION 'migration_history is append-only: % refused', TG_OP
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'corrections are new rows: bgce-migrate repair, bgce-migrate force';
END $body$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {schema}.migration_history
    FOR EACH STATEMENT EXECUTE FUNCTION {schema}.refuse_change();

-- name: functions
-- The only way in: definer functions with a pinned search_path. The first five are their parts, which nobody else may
-- call; they run as and with what their caller has pinned, since pinning it once more costs more than what they do.
CREATE OR REPLACE FUNCTION {schema}.require_login(p_domain text) RETURNS void
    LANGUAGE plpgsql AS $body$
BEGIN
    -- A step that is under way in this transaction: its body calls what is for us alone.
    PERFORM 1 FROM {schema}.domain_login
        WHERE login IN (session_user, '*') AND (p_domain IS NULL OR domain IN (p_domain, '*'))
          AND NOT EXISTS (SELECT 1 FROM {schema}.guard WHERE xid = pg_current_xact_id_if_assigned());
    IF FOUND THEN
        RETURN;
    END IF;
    IF EXISTS (SELECT 1 FROM {schema}.guard WHERE xid = pg_current_xact_id_if_assigned()) THEN
        RAISE EXCEPTION 'a step may not touch the bookkeeping' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RAISE EXCEPTION 'login % may not run steps of domain %', session_user, coalesce(p_domain, 'any')
        USING ERRCODE = 'insufficient_privilege';
END $body$;

-- A loop, because a query costs three times as much.
CREATE OR REPLACE FUNCTION {schema}.digest(VARIADIC p_fields text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE AS $body$
DECLARE
    f text;
    v_all text := '';
BEGIN
    FOREACH f IN ARRAY p_fields LOOP
        v_all := v_all || coalesce(octet_length(convert_to(f, 'UTF8')) || ':' || f || ',', '-,');
    END LOOP;
    RETURN encode(sha256(convert_to(left(v_all, -1), 'UTF8')), 'hex');
END $body$;

CREATE OR REPLACE FUNCTION {schema}.append_row(
    p_domain text, p_previous text, p_attempt uuid, p_row jsonb, OUT sequence bigint, OUT row_hash text)
    LANGUAGE plpgsql AS $body$
DECLARE
    head record;
    at timestamptz := clock_timestamp();
    v_requires text[] := '{}';
BEGIN
    IF jsonb_array_length(coalesce(p_row -> 'requires', '[]')) > 0 THEN
        v_requires := ARRAY(SELECT jsonb_array_elements_text(p_row -> 'requires'));
    END IF;
    SELECT h.sequence, h.row_hash INTO head FROM {schema}.migration_history h
        WHERE h.service_name = p_domain ORDER BY h.sequence DESC LIMIT 1;
    IF coalesce(head.row_hash, 'genesis') <> p_previous THEN
        RAISE EXCEPTION 'the history of domain % has moved on since this step was planned', p_domain
            USING ERRCODE = 'BG003';
    END IF;
    append_row.sequence := coalesce(head.sequence, 0) + 1;
    append_row.row_hash := {schema}.digest(
        'h1', p_domain, append_row.sequence::text, p_row ->> 'run_id', p_attempt::text, p_row ->> 'deployment',
        p_row ->> 'version', p_row ->> 'name', p_row ->> 'direction',
        (extract(epoch FROM at) * 1000000)::bigint::text, p_row ->> 'execution_time_ms', p_row ->> 'success',
        p_row ->> 'checksum',
        encode(sha256(convert_to(p_row ->> 'up_sql', 'UTF8')), 'hex'),
        encode(sha256(convert_to(p_row ->> 'down_sql', 'UTF8')), 'hex'),
        array_to_string(v_requires, ','), p_row ->> 'error', session_user::text, p_row ->> 'git_commit',
        p_row ->> 'tool_version', p_previous);
    INSERT INTO {schema}.migration_history (
        run_id, attempt_id, deployment, sequence, service_name, version, name, direction, applied_at,
        execution_time_ms, success, checksum, up_sql, down_sql, requires, error, applied_by, git_commit,
        tool_version, previous_hash, row_hash)
    VALUES (
        (p_row ->> 'run_id')::uuid, p_attempt, p_row ->> 'deployment', append_row.sequence, p_domain,
        (p_row ->> 'version')::bigint, p_row ->> 'name', p_row ->> 'direction', at,
        (p_row ->> 'execution_time_ms')::bigint, (p_row ->> 'success')::boolean, p_row ->> 'checksum',
        p_row ->> 'up_sql', p_row ->> 'down_sql', v_requires, p_row ->> 'error', session_user,
        p_row ->> 'git_commit', p_row ->> 'tool_version', p_previous, append_row.row_hash);
END $body$;

CREATE OR REPLACE FUNCTION {schema}.require_epoch(p_epoch bigint) RETURNS void
    LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM 1 FROM {schema}.epoch WHERE n = p_epoch FOR SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another run has taken over (epoch % is over)', p_epoch USING ERRCODE = 'BG001';
    END IF;
END $body$;

CREATE OR REPLACE FUNCTION {schema}.lead_run(
    p_run uuid, p_command text, p_host text, p_os_user text, p_deployment text, p_git_commit text, p_tool text)
    RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v_epoch bigint;
BEGIN
    PERFORM {schema}.require_login(NULL);
    -- NOWAIT: a waiter inside the server would hold up CREATE INDEX CONCURRENTLY; the client polls.
    PERFORM 1 FROM {schema}.epoch FOR UPDATE NOWAIT;
    UPDATE {schema}.epoch SET n = n + 1, run_id = p_run RETURNING n INTO v_epoch;
    INSERT INTO {schema}.run (run_id, epoch, command, host, os_user, deployment, git_commit, tool_version)
        VALUES (p_run, v_epoch, p_command, p_host, p_os_user, p_deployment, p_git_commit, p_tool)
        ON CONFLICT (run_id) DO UPDATE SET epoch = excluded.epoch;
    -- The newest timeline a leader has seen: an older one later means that an old state was brought back.
    UPDATE {schema}.meta SET timeline = t.n
        FROM (SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer AS n) t
        WHERE timeline < t.n;
    RETURN v_epoch;
END $body$;

-- After a run's last COMMIT. Nobody waits for this one: without it the run is as good, only its end is not known.
CREATE OR REPLACE FUNCTION {schema}.end_run(
    p_epoch bigint, p_run uuid, OUT end_position pg_lsn, OUT end_timeline integer)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM {schema}.require_login(NULL);
    PERFORM set_config('synchronous_commit', 'off', true);
    end_run.end_position := pg_current_wal_insert_lsn();
    end_run.end_timeline := ('x' || substr(pg_walfile_name(end_run.end_position), 1, 8))::bit(32)::integer;
    UPDATE {schema}.run r SET end_position = end_run.end_position, end_timeline = end_run.end_timeline
        WHERE r.run_id = p_run AND r.epoch = p_epoch;
END $body$;

CREATE OR REPLACE FUNCTION {schema}.begin_step(p_attempt uuid, p_epoch bigint, p_domain text, p_previous text)
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM {schema}.require_login(p_domain);
    PERFORM {schema}.require_epoch(p_epoch);
    INSERT INTO {schema}.guard (attempt_id, domain, xid, previous_hash)
        VALUES (p_attempt, p_domain, pg_current_xact_id(), p_previous);
END $body$;

-- Takes the guard row of this very transaction away and says whose it was: begin_step has asked whether the login may.
CREATE OR REPLACE FUNCTION {schema}.close_guard(p_attempt uuid, OUT domain text, OUT previous_hash text)
    LANGUAGE plpgsql AS $body$
BEGIN
    DELETE FROM {schema}.guard g WHERE g.attempt_id = p_attempt AND g.xid = pg_current_xact_id()
        RETURNING g.domain, g.previous_hash INTO close_guard.domain, close_guard.previous_hash;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the transaction that began this step is over: something in it ended it'
            USING ERRCODE = 'BG002', HINT = 'take transaction control out of the file';
    END IF;
END $body$;

CREATE OR REPLACE FUNCTION {schema}.finish_step(p_attempt uuid, p_row jsonb, OUT sequence bigint, OUT row_hash text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    g record;
    a record;
    v_row jsonb := p_row;
BEGIN
    g := {schema}.close_guard(p_attempt);
    IF v_row ->> 'execution_time_ms' IS NULL THEN
        v_row := v_row || jsonb_build_object('execution_time_ms',
            round(extract(epoch FROM clock_timestamp() - transaction_timestamp()) * 1000)::bigint);
    END IF;
    -- Most databases never journal anything: an empty file needs no look inside.
    IF pg_relation_size('{schema}.journal') > 0 THEN
        UPDATE {schema}.journal j SET closed = true WHERE NOT j.closed AND j.service_name = g.domain
            AND j.version = (p_row ->> 'version')::bigint AND j.direction = p_row ->> 'direction';
    END IF;
    a := {schema}.append_row(g.domain, g.previous_hash, p_attempt, v_row);
    finish_step.sequence := a.sequence;
    finish_step.row_hash := a.row_hash;
END $body$;

-- Both ends of a step in one call each. They run as their caller, under a path that may be anybody's, so every name
-- says its schema and no operator is called. Each replans what it runs when the path has changed since its last call,
-- so search_path comes last among p_names.
CREATE OR REPLACE FUNCTION {schema}.open_step(
    p_names text[], p_values text[], p_attempt uuid, p_epoch bigint, p_domain text, p_previous text, p_owner text)
    RETURNS void LANGUAGE plpgsql AS $body$
DECLARE
    v_set text;
BEGIN
    FOR i IN 1 .. pg_catalog.cardinality(p_names) LOOP
        v_set := pg_catalog.set_config(p_names[i], p_values[i], true);
    END LOOP;
    PERFORM {schema}.begin_step(p_attempt, p_epoch, p_domain, p_previous);
    IF p_owner IS NOT NULL THEN
        v_set := pg_catalog.set_config('role', p_owner, true);
    END IF;
END $body$;

CREATE OR REPLACE FUNCTION {schema}.close_step(
    p_attempt uuid, p_row jsonb, p_owner text, OUT sequence bigint, OUT row_hash text) LANGUAGE plpgsql AS $body$
DECLARE
    f record;
    v_set text;
BEGIN
    f := {schema}.finish_step(p_attempt, p_row);
    close_step.sequence := f.sequence;
    close_step.row_hash := f.row_hash;
    -- Servers before 18 run deferred triggers as the role of the moment of COMMIT.
    IF p_owner IS NOT NULL THEN
        v_set := pg_catalog.set_config('role', p_owner, true);
    END IF;
END $body$;

-- Whether this very transaction, or a part of it, has written a row that it sees and that is not older than it: what others
-- wrote meanwhile is no older either, but has been committed.
CREATE OR REPLACE FUNCTION {schema}.is_ours(p_xmin xid) RETURNS boolean LANGUAGE plpgsql AS $body$
DECLARE
    v_now bigint;
    v_xmin bigint;
BEGIN
    -- A row has the lower half of the number only.
    v_now := pg_current_xact_id()::text::bigint;
    v_xmin := (v_now >> 32 << 32) + p_xmin::text::bigint;
    IF v_xmin < v_now THEN
        v_xmin := v_xmin + (1::bigint << 32);
    END IF;
    RETURN pg_xact_status(v_xmin::text::xid8) = 'in progress';
END $body$;

-- What this very transaction has locked beyond reading, with what it can still see of it, and what leaves no lock but
-- other traces. Runs as its caller and with a path of its own, so that nothing a step has made under a catalog's name is
-- called; a function, because its plan is then made once a session. p_owner: the role that the step has run as.
--   relation, object  what is locked; `late` names a table's triggers that may wait for COMMIT
--   role              roles that were written into the catalog: as an owner, or in an ACL
--   shared            catalogs of the whole server that were changed
--   changed           functions, types and schemas changed without a lock
CREATE OR REPLACE FUNCTION {schema}.held(p_owner text) RETURNS TABLE (
    kind text, mode text, oid text, classid text, nspname text, relname text, owner text, of_extension text,
    relkind text, late text)
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    RETURN QUERY
    SELECT CASE WHEN l.database <> 0 THEN l.locktype WHEN l.locktype = 'object' THEN 'role' ELSE 'shared' END,
           l.mode, coalesce(l.relation, l.objid)::text, l.classid::text, n.nspname::text,
           CASE WHEN l.database <> 0 THEN c.relname::text
                WHEN l.locktype = 'object' THEN pg_get_userbyid(l.objid)::text ELSE l.relation::regclass::text END,
           pg_get_userbyid(c.relowner)::text,
           -- Asked for what is not the step's own only: that is rare, and asking is dear.
           CASE WHEN pg_get_userbyid(c.relowner) <> p_owner THEN
               EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = l.relation
                       AND d.deptype = 'e')::text END,
           c.relkind::text,
           CASE WHEN c.relhastriggers THEN
               (SELECT json_build_object('names', json_agg(t.tgname ORDER BY t.tgname), 'options', c.reloptions)::text
                FROM pg_trigger t WHERE t.tgrelid = c.oid AND t.tgdeferrable AND NOT t.tgisinternal HAVING count(*) > 0) END
    FROM (
        -- First what can be told without looking anything up. A lock of ours is on this database's or on a shared object.
        SELECT p.* FROM pg_locks p
        WHERE p.pid = pg_backend_pid() AND p.granted
          AND CASE WHEN p.database = 0 THEN
                  -- Reading takes no lock on a role, recording it as an owner or in an ACL does.
                  (p.locktype = 'object' AND p.classid = 'pg_authid'::regclass)
                  OR (p.locktype = 'relation' AND p.mode NOT IN ('AccessShareLock', 'RowShareLock')
                      AND p.relation IN ('pg_authid'::regclass, 'pg_auth_members'::regclass,
                                         'pg_db_role_setting'::regclass, 'pg_database'::regclass))
              ELSE p.mode NOT IN ('AccessShareLock', 'RowShareLock')
                  AND ((p.locktype = 'relation' AND p.relation >= 16384) OR (p.locktype = 'object' AND p.objid >= 16384))
              END
        OFFSET 0) l
    LEFT JOIN pg_class c ON c.oid = l.relation
    LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE CASE WHEN l.database = 0 THEN l.locktype <> 'object' OR pg_get_userbyid(l.objid) <> p_owner
          ELSE c.relnamespace IS DISTINCT FROM '{schema}'::regnamespace END;
    -- These are rarely changed in place, so that it is looked at the rows only where some were; rows of this
    -- transaction are no older than it is.
    IF pg_stat_get_xact_tuples_updated('pg_proc'::regclass) > 0 THEN
        RETURN QUERY
        SELECT 'changed', p.xmin::text, p.oid::text, NULL, pn.nspname::text, p.proname::text,
               pg_get_userbyid(p.proowner)::text, NULL, NULL, NULL
        FROM pg_proc p JOIN pg_namespace pn ON pn.oid = p.pronamespace WHERE age(p.xmin) <= 0 AND {schema}.is_ours(p.xmin);
    END IF;
    IF pg_stat_get_xact_tuples_updated('pg_type'::regclass) + pg_stat_get_xact_tuples_updated('pg_enum'::regclass) > 0 THEN
        RETURN QUERY
        SELECT 'changed', concat_ws(' ', t.xmin, (SELECT string_agg(e.xmin::text, ' ' ORDER BY e.oid) FROM pg_enum e
                                                   WHERE e.enumtypid = t.oid)), t.oid::text, NULL, tn.nspname::text,
               t.typname::text, pg_get_userbyid(t.typowner)::text, NULL, NULL, NULL
        FROM pg_type t JOIN pg_namespace tn ON tn.oid = t.typnamespace
        WHERE (age(t.xmin) <= 0 AND {schema}.is_ours(t.xmin))
           OR t.oid IN (SELECT e.enumtypid FROM pg_enum e WHERE age(e.xmin) <= 0 AND {schema}.is_ours(e.xmin));
    END IF;
    IF pg_stat_get_xact_tuples_updated('pg_namespace'::regclass) > 0 THEN
        RETURN QUERY
        SELECT 'changed', s.xmin::text, s.oid::text, NULL, s.nspname::text, NULL,
               pg_get_userbyid(s.nspowner)::text, NULL, NULL, NULL
        FROM pg_namespace s WHERE age(s.xmin) <= 0 AND {schema}.is_ours(s.xmin);
    END IF;
END $body$;

-- A row without a step: a failure after its rollback, a mark of force, a correction of repair.
CREATE OR REPLACE FUNCTION {schema}.record(
    p_epoch bigint, p_attempt uuid, p_domain text, p_previous text, p_row jsonb,
    OUT sequence bigint, OUT row_hash text)
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF (p_row ->> 'success')::boolean AND p_row ->> 'direction' IN ('up', 'down') THEN
        RAISE EXCEPTION 'only finish_step records a step that succeeded' USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM {schema}.require_login(p_domain);
    PERFORM {schema}.require_epoch(p_epoch);
    SELECT a.sequence, a.row_hash INTO record.sequence, record.row_hash
        FROM {schema}.append_row(p_domain, p_previous, p_attempt, p_row) a;
END $body$;

-- A journaled statement is about to run on this backend.
CREATE OR REPLACE FUNCTION {schema}.intent(
    p_epoch bigint, p_run uuid, p_domain text, p_version bigint, p_direction text, p_unit integer, p_hash text,
    p_kind text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v_start timestamptz := (SELECT backend_start FROM pg_stat_get_activity(pg_backend_pid()));
BEGIN
    PERFORM {schema}.require_login(p_domain);
    PERFORM {schema}.require_epoch(p_epoch);
    INSERT INTO {schema}.journal (service_name, version, direction, unit, unit_hash, kind, run_id, backend_pid,
                                  backend_start)
        VALUES (p_domain, p_version, p_direction, p_unit, p_hash, p_kind, p_run, pg_backend_pid(), v_start)
        ON CONFLICT (service_name, version, direction, unit) WHERE NOT closed
        DO UPDATE SET unit_hash = excluded.unit_hash, kind = excluded.kind, run_id = excluded.run_id,
            backend_pid = excluded.backend_pid, backend_start = excluded.backend_start,
            intent_at = clock_timestamp()
        WHERE journal.done_at IS NULL;
END $body$;

CREATE OR REPLACE FUNCTION {schema}.done(
    p_epoch bigint, p_domain text, p_version bigint, p_direction text, p_unit integer, p_evidence text)
    RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM {schema}.require_login(p_domain);
    PERFORM {schema}.require_epoch(p_epoch);
    UPDATE {schema}.journal SET done_at = clock_timestamp(), evidence = p_evidence
        WHERE NOT closed AND service_name = p_domain AND version = p_version AND direction = p_direction
          AND unit = p_unit AND done_at IS NULL;
END $body$;

-- A transactional unit of a journaled file: its record commits with it.
CREATE OR REPLACE FUNCTION {schema}.finish_unit(
    p_attempt uuid, p_run uuid, p_version bigint, p_direction text, p_unit integer, p_hash text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    g record;
BEGIN
    SELECT * INTO g FROM {schema}.close_guard(p_attempt);
    INSERT INTO {schema}.journal (service_name, version, direction, unit, unit_hash, kind, run_id, backend_pid,
                                  done_at, evidence)
        VALUES (g.domain, p_version, p_direction, p_unit, p_hash, 'transaction', p_run, pg_backend_pid(),
                clock_timestamp(), 'committed with its unit');
END $body$;

CREATE OR REPLACE FUNCTION {schema}.forget_journal(p_epoch bigint, p_domain text, p_version bigint) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
    v_count integer;
BEGIN
    PERFORM {schema}.require_login(p_domain);
    PERFORM {schema}.require_epoch(p_epoch);
    UPDATE {schema}.journal SET closed = true WHERE NOT closed AND service_name = p_domain AND version = p_version;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END $body$;

-- From another terminal; the run looks here now and then.
CREATE OR REPLACE FUNCTION {schema}.ask_run(p_run uuid, p_what text, p_by text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM {schema}.require_login(NULL);
    INSERT INTO {schema}.request (run_id, what, asked_by) VALUES (p_run, p_what, p_by);
END $body$;

-- After pg_upgrade, a restore or a blue-green switch: this cluster is the one now. The reason is a history row.
CREATE OR REPLACE FUNCTION {schema}.accept_target(p_epoch bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    PERFORM {schema}.require_login(NULL);
    PERFORM {schema}.require_epoch(p_epoch);
    UPDATE {schema}.meta SET
        system_identifier = (SELECT system_identifier::text FROM pg_control_system()),
        database_oid = (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
        database_name = current_database(),
        timeline = ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer;
END $body$;

-- name: views
-- What services and dashboards may see: no SQL, no errors.
CREATE OR REPLACE VIEW {schema}.migration_state AS
    SELECT DISTINCT ON (service_name, version)
           service_name, version, name, direction IN ('up', 'mark_applied') AS applied, applied_at, checksum,
           id AS history_id
    FROM {schema}.migration_history
    WHERE success AND version IS NOT NULL
    ORDER BY service_name, version, id DESC;

-- The public contract, version 1 (docs/reference/sql-contract.md): any login may ask and hears yes or no. That version
-- is applied, and none of its domain below it is undone.
CREATE OR REPLACE FUNCTION {schema}.ready(service text, version bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT coalesce(bool_and(s.applied) AND bool_or(s.version = ready.version), false)
    FROM {schema}.migration_state s WHERE s.service_name = ready.service AND s.version <= ready.version
$body$;
-- Its version, for programs that meet databases of several releases.
CREATE OR REPLACE FUNCTION {schema}.contract() RETURNS integer LANGUAGE sql IMMUTABLE AS $body$ SELECT 1 $body$;

-- Where the run has ended that did the last thing up to that version: a standby shows it all when it has replayed so
-- far on that timeline. NULL where that run has not ended, or was cut off.
CREATE OR REPLACE FUNCTION {schema}.run_end(
    service text, version bigint, OUT end_position pg_lsn, OUT end_timeline integer)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    SELECT r.end_position, r.end_timeline
    FROM {schema}.migration_history h JOIN {schema}.run r ON r.run_id = h.run_id
    WHERE h.service_name = run_end.service AND h.version <= run_end.version AND h.success
    ORDER BY h.sequence DESC LIMIT 1
$body$;

-- name: seed
INSERT INTO {schema}.epoch (n) VALUES (1);
INSERT INTO {schema}.meta (bookkeeping_version, layout, system_identifier, database_oid, database_name, timeline)
    SELECT {version}, {layout}, (SELECT system_identifier::text FROM pg_control_system()), d.oid::bigint, d.datname,
           ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer
    FROM pg_database d WHERE d.datname = current_database();

-- name: close_functions
-- Nobody but whom statements.py names may call anything here.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA {schema} FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC;
-- Which layout this is, who records for whom and who paused a run is no secret: `bootstrap` and `doctor` ask as other
-- logins, and a run that looks at locks does so as another role.
GRANT USAGE ON SCHEMA {schema} TO PUBLIC;
GRANT SELECT ON {schema}.meta, {schema}.domain_login, {schema}.request TO PUBLIC;
GRANT EXECUTE ON FUNCTION {schema}.contract(), {schema}.ready(text, bigint), {schema}.run_end(text, bigint) TO PUBLIC;
