-- What `drift --watch-ddl` makes: a table in the bookkeeping schema, and event triggers that write into it. Steps of our own
-- are recorded in history already and left out; whoever gives himself their name is seen by drift all the same, only not named.

-- name: table
CREATE TABLE IF NOT EXISTS {schema}.ddl_seen (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    login text NOT NULL,
    role text NOT NULL,
    command text NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    application text NOT NULL,
    address text,
    transaction_id bigint NOT NULL DEFAULT txid_current()
)

-- name: on_ddl
CREATE OR REPLACE FUNCTION {schema}.see_ddl() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF current_setting('application_name') LIKE 'bgce-migrate %' THEN
        RETURN;
    END IF;
    INSERT INTO {schema}.ddl_seen (login, role, command, kind, name, application, address)
    SELECT session_user, coalesce(nullif(current_setting('role'), 'none'), session_user), c.command_tag, c.object_type,
           coalesce(c.object_identity, ''), current_setting('application_name'), host(inet_client_addr())
    FROM pg_event_trigger_ddl_commands() c
    WHERE c.schema_name IS NULL OR c.schema_name !~ '^pg_temp';
END
$body$

-- name: on_drop
CREATE OR REPLACE FUNCTION {schema}.see_drop() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
BEGIN
    IF current_setting('application_name') LIKE 'bgce-migrate %' THEN
        RETURN;
    END IF;
    INSERT INTO {schema}.ddl_seen (login, role, command, kind, name, application, address)
    SELECT session_user, coalesce(nullif(current_setting('role'), 'none'), session_user), tg_tag, o.object_type,
           o.object_identity, current_setting('application_name'), host(inet_client_addr())
    FROM pg_event_trigger_dropped_objects() o
    WHERE NOT o.is_temporary AND (o.original OR o.object_type IN ('table', 'view', 'table column'));
END
$body$

-- name: triggers
REVOKE ALL ON {schema}.ddl_seen FROM PUBLIC;
REVOKE ALL ON FUNCTION {schema}.see_ddl(), {schema}.see_drop() FROM PUBLIC;
DROP EVENT TRIGGER IF EXISTS bgce_watch_ddl;
DROP EVENT TRIGGER IF EXISTS bgce_watch_drop;
CREATE EVENT TRIGGER bgce_watch_ddl ON ddl_command_end EXECUTE FUNCTION {schema}.see_ddl();
CREATE EVENT TRIGGER bgce_watch_drop ON sql_drop EXECUTE FUNCTION {schema}.see_drop()

-- name: remove
DROP EVENT TRIGGER IF EXISTS bgce_watch_ddl;
DROP EVENT TRIGGER IF EXISTS bgce_watch_drop;
DROP FUNCTION IF EXISTS {schema}.see_ddl(), {schema}.see_drop();
DROP TABLE IF EXISTS {schema}.ddl_seen
