"""Which tables a plan locks with ACCESS EXCLUSIVE, against what the server locks."""

from __future__ import annotations

import psycopg

from bgce_migrate.migration import Direction, Directives, MigrationId, Mode, Script, SourceFile, Step
from bgce_migrate.plan.exclusive import exclusive
from tests.servers import DatabaseMaker

#: Each on its own, on the tables of `BEFORE`.
STATEMENTS = (
    "ALTER TABLE a ADD COLUMN x int",
    "ALTER TABLE a DROP COLUMN note",
    "ALTER TABLE a ALTER note TYPE varchar(20)",
    "ALTER TABLE a ALTER note SET DEFAULT 'x'",
    "ALTER TABLE a ALTER note SET NOT NULL",
    "ALTER TABLE a ALTER note SET STATISTICS 100",
    "ALTER TABLE a ALTER note SET STORAGE external",
    "ALTER TABLE a SET (fillfactor = 90)",
    "ALTER TABLE a ADD CHECK (id > 0) NOT VALID",
    "ALTER TABLE a ADD UNIQUE (note)",
    "ALTER TABLE b ADD FOREIGN KEY (a_id) REFERENCES a (id) NOT VALID",
    "ALTER TABLE b VALIDATE CONSTRAINT b_positive",
    "ALTER TABLE b DROP CONSTRAINT b_positive",
    "ALTER TABLE a ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE a REPLICA IDENTITY FULL",
    "ALTER TABLE a DISABLE TRIGGER ALL",
    "ALTER TABLE a RENAME TO a2",
    "ALTER TABLE a RENAME note TO note2",
    "ALTER INDEX a_note RENAME TO a_note2",
    "CREATE INDEX ON a (id)",
    "DROP INDEX a_note",
    "DROP TABLE b",
    "DROP VIEW v",
    "CREATE OR REPLACE VIEW v AS SELECT id FROM a",
    "CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "DROP TRIGGER b_t ON b",
    "CREATE POLICY p ON a USING (true)",
    "CREATE RULE r AS ON DELETE TO a DO INSTEAD NOTHING",
    "REFRESH MATERIALIZED VIEW m",
    "TRUNCATE b",
    "LOCK TABLE a IN SHARE MODE",
    "LOCK TABLE a",
    "REINDEX INDEX a_note",
    "CLUSTER a USING a_note",
    "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2)",
    "ALTER TABLE p DETACH PARTITION p1",
    "ALTER TABLE p ATTACH PARTITION loose FOR VALUES IN (3)",
    "INSERT INTO b VALUES (1, 1)",
    "ALTER TABLE a SET SCHEMA elsewhere",
)
BEFORE = """
CREATE SCHEMA elsewhere;
CREATE TABLE a (id int PRIMARY KEY, note text);
CREATE INDEX a_note ON a (note);
CREATE TABLE b (id int, a_id int, CONSTRAINT b_positive CHECK (id > 0) NOT VALID);
CREATE TRIGGER b_t BEFORE UPDATE ON b FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
CREATE VIEW v AS SELECT id FROM a;
CREATE MATERIALIZED VIEW m AS SELECT id FROM a;
CREATE TABLE p (id int) PARTITION BY LIST (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
CREATE TABLE loose (id int);
"""
#: What is there, an index counted as its table.
THERE = """
SELECT c.oid, coalesce(t.relname, c.relname)::text FROM pg_class c
LEFT JOIN pg_index i ON i.indexrelid = c.oid LEFT JOIN pg_class t ON t.oid = i.indrelid WHERE c.relnamespace = 'public'::regnamespace
"""
HELD = "SELECT relation FROM pg_locks WHERE pid = pg_backend_pid() AND mode = 'AccessExclusiveLock' AND relation IS NOT NULL"


def _step(text: str) -> Step:
    script = Script(SourceFile("000001_it.up.sql", text, ""), "v1:0", Mode.TRANSACTION, Directives())
    return Step(MigrationId("postal", 1, "it"), Direction.UP, script)


def test_what_the_server_locks_is_what_the_plan_says(make_database: DatabaseMaker) -> None:
    with psycopg.connect(make_database(), autocommit=True) as connection:
        connection.execute(BEFORE.encode())
        there = dict(connection.execute(THERE.encode()).fetchall())
        for text in STATEMENTS:
            connection.execute("BEGIN")
            connection.execute(text.encode())
            held = {there[row[0]] for row in connection.execute(HELD.encode()) if row[0] in there}
            connection.execute("ROLLBACK")
            said = {"a" if name == "a_note" else name for _, name in exclusive([_step(text)], {})}
            assert held == said, text


def test_what_the_plan_itself_makes_is_nobodys() -> None:
    first, second = _step("CREATE TABLE n (id int)"), _step("ALTER TABLE n ADD COLUMN b int; ALTER TABLE o ADD COLUMN b int")
    assert exclusive([first, second], {"postal": "mail"}) == {("mail", "o"): second.id}
