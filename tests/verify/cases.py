"""Pairs of files whose downs are right or wrong, each with the verdict and a line that must be told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

#: Before all others; every case has tables of its own: %n is its number.
EACH = """
CREATE TABLE a%n (id bigint PRIMARY KEY, name varchar(20) NOT NULL DEFAULT 'x', age integer, note text);
CREATE INDEX a%n_age ON a%n (age);
CREATE UNIQUE INDEX a%n_name ON a%n (name, age);
ALTER TABLE a%n ADD CONSTRAINT a%n_old CHECK (age > 0);
COMMENT ON COLUMN a%n.note IS 'said';
CREATE TABLE b%n (id bigint PRIMARY KEY, a bigint CONSTRAINT b%n_a REFERENCES a%n (id) ON DELETE CASCADE);
CREATE VIEW v%n AS SELECT id FROM b%n;
CREATE FUNCTION f%n() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION t%n() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TYPE e%n AS ENUM ('one', 'two');
"""


@dataclass(frozen=True)
class Case:
    """An up and a down with what is to be found; `told`: parts of what is printed about it."""

    verdict: str
    up: str
    down: str | None
    told: tuple[str, ...] = ()


DEFECTIVE = (
    Case("differs", "CREATE TABLE n%n (id integer)", "SELECT 1", ("table public.n%n is new", "DROP TABLE public.n%n;")),
    Case("differs", "CREATE TABLE n%n (i int); CREATE TABLE m%n (i int)", "DROP TABLE n%n", ("DROP TABLE public.m%n;",)),
    Case("differs", "CREATE TYPE k%n AS ENUM ('a'); CREATE TABLE n%n (k k%n)", "DROP TABLE n%n", ("DROP TYPE public.k%n;",)),
    Case("differs", "CREATE TABLE n%n (i int); CREATE FUNCTION g%n(n%n) RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE FUNCTION h%n(a int) RETURNS int LANGUAGE sql AS 'SELECT 1'",
         "DROP TABLE n%n CASCADE", ("function public.h%n(integer) is new", "DROP FUNCTION public.h%n(integer);")),
    Case("differs", "ALTER TABLE a%n ADD COLUMN extra text", "SELECT 1", ("ALTER TABLE public.a%n DROP COLUMN extra;",)),
    Case("differs", "ALTER TABLE a%n ADD COLUMN p text, ADD COLUMN q text", "ALTER TABLE a%n DROP COLUMN p", ("column public.a%n.q is new",)),
    Case("differs", "CREATE INDEX a%n_note ON a%n (note)", "SELECT 1", ("DROP INDEX public.a%n_note;",)),
    Case("differs", "DROP INDEX a%n_age", "SELECT 1", ("index public.a%n_age is gone", "CREATE INDEX a%n_age ON public.a%n USING btree (age);")),
    Case("differs", "DROP INDEX a%n_age", "CREATE INDEX a%n_age ON a%n (age DESC)", ("definition is CREATE INDEX",)),
    Case("differs", "DROP INDEX a%n_name", "CREATE INDEX a%n_name ON a%n (name, age)", ("was CREATE UNIQUE INDEX",)),
    Case("differs", "ALTER TABLE a%n ADD CONSTRAINT a%n_age CHECK (age < 200)", "SELECT 1", ("DROP CONSTRAINT a%n_age;",)),
    Case("differs", "ALTER TABLE a%n DROP CONSTRAINT a%n_old", "ALTER TABLE a%n ADD CONSTRAINT a%n_old CHECK (age > 0) NOT VALID", ("NOT VALID",)),
    Case("differs", "ALTER TABLE a%n DROP CONSTRAINT a%n_old", "SELECT 1", ("ADD CONSTRAINT a%n_old CHECK ((age > 0));",)),
    Case("differs", "ALTER TABLE a%n ALTER name TYPE text", "ALTER TABLE a%n ALTER name TYPE varchar(30)", ("type is character varying(30), was character varying(20)", "TYPE character varying(20);")),
    Case("differs", "ALTER TABLE a%n ALTER note SET NOT NULL", "SELECT 1", ("ALTER COLUMN note DROP NOT NULL;",)),
    Case("differs", "ALTER TABLE a%n ALTER name DROP NOT NULL", "SELECT 1", ("ALTER COLUMN name SET NOT NULL;",)),
    Case("differs", "ALTER TABLE a%n ALTER name SET DEFAULT 'y'", "ALTER TABLE a%n ALTER name SET DEFAULT 'z'", ("default is 'z'",)),
    Case("differs", "ALTER TABLE a%n ALTER name DROP DEFAULT", "SELECT 1", ("SET DEFAULT 'x'::character varying;",)),
    Case("differs", "ALTER TABLE a%n DROP COLUMN name", "ALTER TABLE a%n ADD COLUMN name varchar(20) NOT NULL; CREATE UNIQUE INDEX a%n_name ON a%n (name, age)", ("default is not set",)),
    Case("differs", "ALTER TABLE a%n DROP COLUMN name", "ALTER TABLE a%n ADD COLUMN name varchar(20) DEFAULT 'x'; CREATE UNIQUE INDEX a%n_name ON a%n (name, age)", ("not null is set no more",)),
    Case("differs", "ALTER TABLE a%n DROP COLUMN name", "ALTER TABLE a%n ADD COLUMN name varchar(20) NOT NULL DEFAULT 'x'", ("index public.a%n_name is gone", "CREATE UNIQUE INDEX a%n_name")),
    Case("differs", "ALTER TABLE a%n DROP COLUMN note", "ALTER TABLE a%n ADD COLUMN note text", ("COMMENT ON COLUMN public.a%n.note IS 'said';",)),
    Case("differs", "ALTER TABLE a%n RENAME COLUMN note TO words", "SELECT 1", ("column public.a%n.note is gone",)),
    Case("differs", "CREATE VIEW w%n AS SELECT 1 AS one", "SELECT 1", ("DROP VIEW public.w%n;",)),
    Case("differs", "CREATE OR REPLACE VIEW v%n AS SELECT id FROM b%n WHERE id > 1", "DROP VIEW v%n", ("view public.v%n is gone", "CREATE VIEW public.v%n AS SELECT id FROM public.b%n;")),
    Case("differs", "CREATE OR REPLACE FUNCTION f%n() RETURNS integer LANGUAGE sql AS 'SELECT 2'", "SELECT 1", ("body is SELECT 2, was SELECT 1",)),
    Case("differs", "CREATE TRIGGER s%n BEFORE UPDATE ON a%n FOR EACH ROW EXECUTE FUNCTION t%n()", "SELECT 1", ("DROP TRIGGER s%n ON public.a%n;",)),
    Case("differs", "COMMENT ON TABLE a%n IS 'new'", "SELECT 1", ("COMMENT ON TABLE public.a%n IS NULL;",)),
    Case("differs", "GRANT SELECT ON a%n TO pg_monitor", "SELECT 1", ("rights: came pg_monitor: SELECT",)),
    Case("differs", "ALTER TYPE e%n ADD VALUE 'three'", "SELECT 1", ("labels is (one, two, three), was (one, two)",)),
    Case("differs", "CREATE SCHEMA s%n; CREATE TABLE s%n.x (i int)", "DROP TABLE s%n.x", ("DROP SCHEMA s%n;",)),
    Case("differs", "CREATE SEQUENCE q%n", "SELECT 1", ("DROP SEQUENCE public.q%n;",)),
    Case("differs", "ALTER TABLE a%n ENABLE ROW LEVEL SECURITY", "SELECT 1", ("DISABLE ROW LEVEL SECURITY;",)),
    Case("differs", "CREATE POLICY p%n ON a%n USING (true)", "SELECT 1", ("DROP POLICY p%n ON public.a%n;",)),
    Case("differs", "CREATE STATISTICS z%n ON age, name FROM a%n", "SELECT 1", ("DROP STATISTICS public.z%n;",)),
    Case("differs", "ALTER TABLE a%n SET (fillfactor = 70)", "SELECT 1", ("options: came fillfactor=70",)),
    Case("differs", "ALTER TABLE b%n DROP CONSTRAINT b%n_a", "ALTER TABLE b%n ADD CONSTRAINT b%n_a FOREIGN KEY (a) REFERENCES a%n (id)", ("was FOREIGN KEY (a) REFERENCES public.a%n(id) ON DELETE CASCADE",)),
    Case("differs", "CREATE TABLE n%n (id int)", "DROP TABLE n%n; DROP VIEW v%n", ("view public.v%n is gone",)),
    Case("differs", "CREATE TABLE n%n (id int)", "DROP TABLE n%n; DROP FUNCTION f%n()", ("function public.f%n() is gone",)),
    Case("differs", "-- bgce: no-transaction\nCREATE INDEX CONCURRENTLY a%n_note ON a%n (note)", "SELECT 1", ("DROP INDEX public.a%n_note;",)),
    Case("error", "CREATE TABLE n%n (id int)", "DROP TABLE wrong%n", ('table "wrong%n" does not exist',)),
    Case("error", "CREATE TYPE k%n AS ENUM ('a'); CREATE TABLE n%n (k k%n)", "DROP TYPE k%n; DROP TABLE n%n", ("cannot drop type k%n",)),
    Case("reup_error", "INSERT INTO a%n (id, name) VALUES (1, 'a')", "SELECT 1", ("duplicate key value",)),
    Case("reup_differs", "DO $$ BEGIN IF EXISTS (SELECT FROM a%n) THEN CREATE TABLE n%n (i int); END IF; INSERT INTO a%n (id) VALUES ((SELECT count(*) FROM a%n)); END $$",
         "SELECT 1", ("table public.n%n is new",)),
    Case("missing", "CREATE TABLE n%n (id int)", None, ("missing",)),
)

CORRECT = (
    Case("ok", "CREATE TABLE n%n (id integer)", "DROP TABLE n%n"),
    Case("ok", "CREATE TABLE n%n (id serial PRIMARY KEY, k text UNIQUE)", "DROP TABLE n%n"),
    Case("ok", "CREATE TABLE n%n (id bigint GENERATED ALWAYS AS IDENTITY)", "DROP TABLE IF EXISTS n%n CASCADE"),
    Case("ok", "CREATE TYPE k%n AS ENUM ('a'); CREATE TABLE n%n (k k%n)", "DROP TABLE n%n; DROP TYPE k%n"),
    Case("ok", "ALTER TABLE a%n ADD COLUMN extra text NOT NULL DEFAULT ''", "ALTER TABLE a%n DROP COLUMN extra"),
    Case("ok", "ALTER TABLE a%n ADD COLUMN p text, ADD COLUMN q text", "ALTER TABLE a%n DROP COLUMN q, DROP COLUMN p"),
    Case("ok", "CREATE INDEX a%n_note ON a%n (note)", "DROP INDEX a%n_note"),
    Case("ok", "DROP INDEX a%n_age", "CREATE INDEX a%n_age ON a%n (age)"),
    Case("ok", "ALTER INDEX a%n_age RENAME TO a%n_ages", "ALTER INDEX a%n_ages RENAME TO a%n_age"),
    Case("ok", "ALTER TABLE a%n ADD CONSTRAINT a%n_age CHECK (age < 200) NOT VALID", "ALTER TABLE a%n DROP CONSTRAINT a%n_age"),
    Case("ok", "ALTER TABLE a%n DROP CONSTRAINT a%n_old", "ALTER TABLE a%n ADD CONSTRAINT a%n_old CHECK (age > 0)"),
    Case("ok", "ALTER TABLE a%n ALTER name TYPE text", "ALTER TABLE a%n ALTER name TYPE varchar(20)"),
    Case("ok", "ALTER TABLE a%n ALTER note SET NOT NULL", "ALTER TABLE a%n ALTER note DROP NOT NULL"),
    Case("ok", "ALTER TABLE a%n ALTER name DROP NOT NULL", "ALTER TABLE a%n ALTER name SET NOT NULL"),
    Case("ok", "ALTER TABLE a%n ALTER name SET DEFAULT 'y'", "ALTER TABLE a%n ALTER name SET DEFAULT 'x'"),
    Case("ok", "ALTER TABLE a%n DROP COLUMN note", "ALTER TABLE a%n ADD COLUMN note text; COMMENT ON COLUMN a%n.note IS 'said'"),
    Case("order", "ALTER TABLE a%n DROP COLUMN age", "ALTER TABLE a%n ADD COLUMN age integer; CREATE INDEX a%n_age ON a%n (age); CREATE UNIQUE INDEX a%n_name ON a%n (name, age);"
         " ALTER TABLE a%n ADD CONSTRAINT a%n_old CHECK (age > 0)", ("columns stand in the order (id, name, note, age)",)),
    Case("ok", "ALTER TABLE a%n RENAME COLUMN note TO words", "ALTER TABLE a%n RENAME COLUMN words TO note"),
    Case("ok", "ALTER TABLE a%n RENAME TO c%n", "ALTER TABLE c%n RENAME TO a%n"),
    Case("ok", "CREATE VIEW w%n AS SELECT 1 AS one", "DROP VIEW w%n"),
    Case("ok", "CREATE OR REPLACE VIEW v%n AS SELECT id FROM b%n WHERE id > 1", "CREATE OR REPLACE VIEW v%n AS SELECT id FROM b%n"),
    Case("ok", "CREATE OR REPLACE FUNCTION f%n() RETURNS integer LANGUAGE sql AS 'SELECT 2'", "CREATE OR REPLACE FUNCTION f%n() RETURNS integer LANGUAGE sql AS 'SELECT 1'"),
    Case("ok", "CREATE TRIGGER s%n BEFORE UPDATE ON a%n FOR EACH ROW EXECUTE FUNCTION t%n()", "DROP TRIGGER s%n ON a%n"),
    Case("ok", "COMMENT ON TABLE a%n IS 'new'", "COMMENT ON TABLE a%n IS NULL"),
    Case("ok", "GRANT SELECT ON a%n TO pg_monitor", "REVOKE SELECT ON a%n FROM pg_monitor"),
    Case("ok", "REVOKE EXECUTE ON FUNCTION f%n() FROM PUBLIC", "GRANT EXECUTE ON FUNCTION f%n() TO PUBLIC"),
    Case("ok", "CREATE SCHEMA s%n; CREATE TABLE s%n.x (i int)", "DROP SCHEMA s%n CASCADE"),
    Case("ok", "CREATE SEQUENCE q%n START 5", "DROP SEQUENCE q%n"),
    Case("ok", "ALTER TABLE a%n ENABLE ROW LEVEL SECURITY; CREATE POLICY p%n ON a%n USING (true)", "DROP POLICY p%n ON a%n; ALTER TABLE a%n DISABLE ROW LEVEL SECURITY"),
    Case("ok", "CREATE STATISTICS z%n ON age, name FROM a%n", "DROP STATISTICS z%n"),
    Case("ok", "ALTER TABLE a%n SET (fillfactor = 70)", "ALTER TABLE a%n RESET (fillfactor)"),
    Case("ok", "ALTER TABLE b%n DROP CONSTRAINT b%n_a", "ALTER TABLE b%n ADD CONSTRAINT b%n_a FOREIGN KEY (a) REFERENCES a%n (id) ON DELETE CASCADE"),
    Case("ok", "CREATE DOMAIN d%n AS text CHECK (VALUE <> '')", "DROP DOMAIN d%n"),
    Case("ok", "INSERT INTO a%n (id, name) VALUES (1, 'a')", "DELETE FROM a%n"),
    Case("ok", "INSERT INTO a%n (id) VALUES (1); INSERT INTO b%n VALUES (1, 1); ALTER TABLE b%n ADD COLUMN z int", "ALTER TABLE b%n DROP COLUMN z; DELETE FROM b%n; DELETE FROM a%n"),
    Case("ok", "-- bgce: no-transaction\nCREATE INDEX CONCURRENTLY a%n_note ON a%n (note)", "-- bgce: no-transaction\nDROP INDEX CONCURRENTLY a%n_note"),
    Case("ok", "ALTER TYPE e%n ADD VALUE 'three'", "ALTER TABLE a%n ALTER name TYPE varchar(20); DROP TYPE e%n; CREATE TYPE e%n AS ENUM ('one', 'two')"),
    Case("ok", "BEGIN; CREATE TABLE n%n (id integer); COMMIT;", "BEGIN; DROP TABLE n%n; COMMIT;"),
    Case("ok", "CREATE TABLE n%n (d date) PARTITION BY RANGE (d); CREATE TABLE n%n_1 PARTITION OF n%n DEFAULT; CREATE INDEX ON n%n (d)", "DROP TABLE n%n"),
    Case("ok", "CREATE MATERIALIZED VIEW m%n AS SELECT count(*) AS n FROM a%n; CREATE UNIQUE INDEX ON m%n (n)", "DROP MATERIALIZED VIEW m%n"),
    Case("ok", "SET search_path = pg_catalog; SET DateStyle = 'German'; CREATE TABLE public.n%n (d date DEFAULT '1.2.2026')", "DROP TABLE public.n%n"),
    Case("irreversible", '-- bgce: irreversible reason="its data is gone"\nDROP TABLE b%n CASCADE', None, ("its data is gone",)),
)  # fmt: skip


def write(folder: Path, cases: tuple[Case, ...]) -> Path:
    """A plain golang-migrate folder: the ground for all cases first, then one migration a case, from 2 on."""
    ground = "".join(EACH.replace("%n", str(n)) for n in range(2, len(cases) + 2))
    (folder / "000001_ground.up.sql").write_text(ground)
    tables = "".join(
        f"DROP VIEW v{n}; DROP TABLE b{n}; DROP TABLE a{n}; DROP FUNCTION f{n}(); DROP FUNCTION t{n}(); DROP TYPE e{n};"
        for n in range(2, len(cases) + 2)
    )
    (folder / "000001_ground.down.sql").write_text(tables)
    for number, case in enumerate(cases, 2):
        name = f"{number:06d}_case"
        (folder / f"{name}.up.sql").write_text(case.up.replace("%n", str(number)))
        if case.down is not None:
            (folder / f"{name}.down.sql").write_text(case.down.replace("%n", str(number)))
    return folder
