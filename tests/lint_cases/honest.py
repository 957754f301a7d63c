"""Statements of the shipped domains' kind: what honest people write, about each of their own tables."""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.config import Project
from bgce_migrate.domain import Domain

#: About a table with a column `id`; {t} is the table, {d} the domain, {login} its service.
ABOUT_A_TABLE = (
    "ALTER TABLE {t} ADD COLUMN extra text;",
    "ALTER TABLE {t} ADD COLUMN extra boolean NOT NULL DEFAULT false, ADD COLUMN more timestamptz DEFAULT now();",
    "COMMENT ON TABLE {t} IS 'DROP TABLE users; UPDATE posts SET x = 1';",
    "COMMENT ON COLUMN {t}.id IS 'set_config(''role'', ''x'', true)';",
    "INSERT INTO {t} SELECT * FROM {t} WHERE false;",
    "UPDATE {t} SET id = id WHERE id BETWEEN 1 AND 1000;",
    "DELETE FROM {t} WHERE id < 0;",
    "ALTER TABLE {t} ADD CONSTRAINT ck_{t}_id CHECK (id > 0) NOT VALID;",
    "CREATE INDEX idx_{t}_extra ON {t} ((id % 10));",
    "GRANT SELECT, INSERT, UPDATE ON {t} TO {login};",
    "REVOKE ALL ON {t} FROM PUBLIC;",
    "ALTER TABLE {t} SET (fillfactor = 90);",
    "ANALYZE {t};",
    "CREATE VIEW v_{t} AS SELECT id FROM {t};",
    "LOCK TABLE {t} IN SHARE MODE;",
    "DO $$ BEGIN IF EXISTS (SELECT 1 FROM {t}) THEN RAISE NOTICE 'rows'; END IF; END $$;",
    "DO $$ BEGIN EXECUTE 'ALTER TABLE {t} ADD COLUMN extra text'; END $$;",
    "CREATE FUNCTION count_{t}() RETURNS bigint LANGUAGE sql STABLE AS 'SELECT count(*) FROM {t}';",
    (
        "CREATE FUNCTION touch_{t}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN\n"
        "    IF EXISTS (SELECT 1 FROM {t} x WHERE x.id = NEW.id FOR UPDATE) THEN RETURN NULL; END IF;\n"
        "    UPDATE {t} SET id = id WHERE id = NEW.id;\n    RETURN NEW;\nEND $$;"
    ),
    (
        "CREATE FUNCTION pay_{t}(bigint) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp"
        " AS 'DELETE FROM {t} WHERE id = $1';\nREVOKE EXECUTE ON FUNCTION pay_{t}(bigint) FROM PUBLIC;"
    ),
    (
        "CREATE TRIGGER touch_{t} BEFORE UPDATE ON {t}\n"
        "FOR EACH ROW EXECUTE FUNCTION update_updated_at_column();"
    ),
    "CREATE TEMPORARY TABLE tmp_{t} AS SELECT id FROM {t};\nDELETE FROM {t} USING tmp_{t} n WHERE n.id = {t}.id;",
    "WITH old AS (DELETE FROM {t} WHERE id < 0 RETURNING id) SELECT count(*) FROM old;",
    "ALTER TABLE {t} OWNER TO {d}_owner;",
    "SET LOCAL search_path = public, pg_temp;\nUPDATE {t} SET id = id WHERE id = 1;",
    "SELECT setval(pg_get_serial_sequence('{t}', 'id'), 1000, false);",
)
#: For every domain that requires cortex.
ABOUT_A_NEIGHBOUR = (
    "ALTER TABLE {t} ADD COLUMN reviewer_id bigint;\n"
    "ALTER TABLE {t} ADD CONSTRAINT fk_{t}_reviewer_id FOREIGN KEY (reviewer_id) REFERENCES users (id) NOT VALID;",
    "UPDATE {t} SET id = {t}.id FROM users u WHERE u.id = {t}.id AND u.username = 'x';",
    "INSERT INTO {t} (id) SELECT u.id FROM users u JOIN tenants n ON n.id = u.tenant_id WHERE u.status = 'gone';",
    "CREATE VIEW v_{t} WITH (security_invoker = true) AS SELECT {t}.id, u.full_name FROM {t} JOIN users u ON u.id = {t}.id;",
    "CREATE FUNCTION name_{t}(bigint) RETURNS text LANGUAGE sql AS 'SELECT username FROM users WHERE id = $1';",
)


def honest(project: Project) -> Iterator[tuple[Domain, str]]:
    """Domain and SQL; each table gets a few of the forms, so that all forms are met often."""
    place = 0
    for domain in project.domains:
        near = ABOUT_A_NEIGHBOUR if "cortex" in domain.requires else ()
        for table in domain.tables:
            for _ in range(7):
                form = ABOUT_A_TABLE[place % len(ABOUT_A_TABLE)]
                place += 1
                yield domain, form.format(t=table, d=domain.name, login=domain.services[0].login)
            for form in near[place % 5 : place % 5 + 2]:
                yield domain, form.format(t=table, d=domain.name, login=domain.services[0].login)
