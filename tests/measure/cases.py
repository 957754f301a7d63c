"""Statement kinds with the locks they take and the work they do, as PostgreSQL's documentation and our reference have them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

AS, RS, RE, SUE, S, SRE, E, AE = (
    "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE",
    "ACCESS EXCLUSIVE",
)  # fmt: skip

#: What a case finds, made only where its statement names it; %n is the case's number.
SETUP = (
    (r"\b(?:r|c|v|mv)%n|nvfk", "CREATE TABLE r%n (id bigint PRIMARY KEY, n integer)"),
    (r"\bplain%n", "CREATE DOMAIN plain%n AS integer"),
    (r"\bstrict%n|\bd%n", "CREATE DOMAIN strict%n AS integer CHECK (VALUE > 0)"),
    (r"\ben%n|::en|text_of_enum", "CREATE TYPE en%n AS ENUM ('a', 'b')"),
    (r"\bd%n", "CREATE TABLE d%n (id bigint, s strict%n)"),
    (r"\b(?:t|c)%n|nvfk", """CREATE TABLE t%n (id bigint PRIMARY KEY, x integer, y integer, v varchar(10), txt text, ts timestamp,
        tz timestamptz, num numeric(10,2), ch char(5), rid bigint, ip inet, net cidr, small smallint, z integer NOT NULL,
        CONSTRAINT x_there CHECK (x IS NOT NULL AND x > 0),
        CONSTRAINT y_positive CHECK (y > 0));
        ALTER TABLE t%n ADD CONSTRAINT z_there CHECK (z > 0) NOT VALID; CREATE INDEX t%n_x ON t%n (x); CREATE INDEX t%n_num ON t%n (num)"""),
    (r"\blower%n", "CREATE TABLE lower%n (id bigint, v varchar(10)); CREATE INDEX lower%n_v ON lower%n (lower(v))"),
    (r"\bu%n", "CREATE TABLE u%n (id bigint, a bigint NOT NULL, b bigint); CREATE UNIQUE INDEX u%n_a ON u%n (a); CREATE UNIQUE INDEX u%n_b ON u%n (b)"),
    (r"\bc%n|nvfk", """CREATE TABLE c%n (id bigint PRIMARY KEY, rid bigint CONSTRAINT c%n_r REFERENCES r%n, tid bigint);
        ALTER TABLE c%n ADD CONSTRAINT nvfk%n FOREIGN KEY (tid) REFERENCES t%n NOT VALID"""),
    (r"\bmv%n", "CREATE MATERIALIZED VIEW mv%n AS SELECT id FROM r%n; CREATE UNIQUE INDEX mv%n_id ON mv%n (id)"),
    (r"\bv%n", "CREATE VIEW v%n AS SELECT id FROM r%n"),
    (r"\b(?:p|p1|q|qc)%n", "CREATE TABLE p%n (id bigint, k integer) PARTITION BY LIST (k); CREATE TABLE p1%n PARTITION OF p%n FOR VALUES IN (1); CREATE TABLE pd%n PARTITION OF p%n DEFAULT"),
    (r"\bq%n", "CREATE TABLE q%n (id bigint, k integer)"),
    (r"\bqc%n", "CREATE TABLE qc%n (id bigint, k integer, CHECK (k IS NOT NULL AND k = 7))"),
    (r"\b(?:n|nd|n1)%n", "CREATE TABLE n%n (id bigint, k integer) PARTITION BY LIST (k); CREATE TABLE n1%n PARTITION OF n%n FOR VALUES IN (1)"),
    (r"\bg%n", "CREATE TABLE g%n (id bigint GENERATED ALWAYS AS IDENTITY, e bigint GENERATED ALWAYS AS (1) STORED)"),
    (r"\bf%n\(", "CREATE FUNCTION f%n() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"),
    (r"\btr%n", "CREATE FUNCTION f%n() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE TRIGGER tr%n BEFORE INSERT ON t%n FOR EACH ROW EXECUTE FUNCTION f%n()"),
    (r"\bvolatile%n", "CREATE FUNCTION volatile%n() RETURNS integer LANGUAGE plpgsql VOLATILE AS 'BEGIN RETURN 1; END'"),
    (r"\bstable%n", "CREATE FUNCTION stable%n() RETURNS integer LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 1; END'"),
    (r"\binlined%n", "CREATE FUNCTION inlined%n() RETURNS integer LANGUAGE sql VOLATILE AS 'SELECT 1'"),
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One statement.

    Attributes:
        locks: on tables that were there, by name; weaker ones than ROW EXCLUSIVE only where they are named.
        work: `rewrite t`, `scan t`, `build t`, `empty t`.
        on: other locks on one major.
        since: the first major that knows the statement.
    """

    sql: str
    locks: dict[str, str] = field(default_factory=dict)
    work: tuple[str, ...] = ()
    on: dict[int, dict[str, str]] = field(default_factory=dict)
    since: int = 14


#: The number of the first case; before it stand the files that make what cases find.
FIRST = 101


def write(folder: Path, cases: tuple[Case, ...], major: int) -> Path:
    """A folder of plain files: first what all find, some cases a file, then one a case."""
    for number, case in enumerate(cases, FIRST):
        if case.since > major:
            continue
        found = [sql.replace("%n", str(number)) for pattern, sql in SETUP if re.search(pattern, case.sql)]
        if found:
            with (folder / f"{(number - FIRST) // 5 + 1:03}_before.up.sql").open("a") as file:
                file.write(";\n".join(dict.fromkeys(found)) + ";\n")
        alone = "-- bgce: no-transaction\n" if re.search(r"CONCURRENTLY(?! mv)|VACUUM", case.sql) else ""
        (folder / f"{number:03}_case.up.sql").write_text(f"{alone}{case.sql.replace('%n', str(number))};\n")
    return folder


_T = {"t": AE}

CASES = (
    # ADD COLUMN
    Case("ALTER TABLE t%n ADD COLUMN a integer", _T),
    Case("ALTER TABLE t%n ADD COLUMN a integer DEFAULT 5", _T),
    Case("ALTER TABLE t%n ADD COLUMN a timestamptz DEFAULT now()", _T),
    Case("ALTER TABLE t%n ADD COLUMN a integer NOT NULL DEFAULT stable%n()", _T),
    Case("ALTER TABLE t%n ADD COLUMN a timestamptz DEFAULT clock_timestamp()", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ADD COLUMN a uuid DEFAULT gen_random_uuid()", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ADD COLUMN a double precision DEFAULT random()", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ADD COLUMN a integer DEFAULT volatile%n()", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ADD COLUMN a integer DEFAULT inlined%n()", _T),
    Case("ALTER TABLE t%n ADD COLUMN a serial", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ADD COLUMN a bigint GENERATED BY DEFAULT AS IDENTITY", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ADD COLUMN a integer GENERATED ALWAYS AS (x + 1) STORED", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ADD COLUMN a integer GENERATED ALWAYS AS (x + 1) VIRTUAL", _T, since=18),
    Case("ALTER TABLE t%n ADD COLUMN a strict%n", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ADD COLUMN a plain%n", _T),
    Case("ALTER TABLE t%n ADD COLUMN a bigint REFERENCES r%n", {"t": AE, "r": SRE}),
    Case("ALTER TABLE t%n ADD COLUMN a bigint DEFAULT 1 REFERENCES r%n", {"t": AE, "r": SRE}, ("scan t", "scan r")),
    Case("ALTER TABLE t%n ADD COLUMN a integer CHECK (a > 0)", _T, ("scan t",)),
    Case("ALTER TABLE t%n ADD COLUMN a integer UNIQUE", _T, ("build t",)),
    Case("ALTER TABLE t%n ADD COLUMN IF NOT EXISTS x integer", _T),
    # metadata
    Case("ALTER TABLE t%n DROP COLUMN txt", _T),
    Case("ALTER TABLE t%n DROP COLUMN IF EXISTS missing", _T),
    Case("ALTER TABLE t%n RENAME COLUMN txt TO text_of_old", _T),
    Case("ALTER TABLE t%n RENAME TO renamed%n", {"renamed": AE}),
    Case("ALTER TABLE t%n RENAME CONSTRAINT y_positive TO y_over_zero", _T),
    Case("ALTER TABLE t%n ALTER txt SET DEFAULT 'x'", _T),
    Case("ALTER TABLE t%n ALTER z DROP NOT NULL", _T),
    Case("ALTER TABLE t%n ALTER txt SET STORAGE EXTERNAL", _T),
    Case("ALTER TABLE t%n ALTER txt SET COMPRESSION pglz", _T),
    Case("ALTER TABLE t%n REPLICA IDENTITY FULL", _T),
    Case("ALTER TABLE t%n ENABLE ROW LEVEL SECURITY", _T),
    Case("CREATE POLICY po ON t%n USING (true)", _T),
    Case("CREATE RULE ru AS ON DELETE TO t%n DO ALSO SELECT 1", _T),
    Case("DROP TRIGGER tr%n ON t%n", _T),
    Case("ALTER TABLE t%n ALTER z ADD GENERATED ALWAYS AS IDENTITY", _T),
    Case("ALTER TABLE g%n ALTER id DROP IDENTITY", {"g": AE}),
    Case("ALTER TABLE g%n ALTER e DROP EXPRESSION", {"g": AE}),
    # NOT NULL
    Case("ALTER TABLE t%n ALTER y SET NOT NULL", _T, ("scan t",)),
    Case("ALTER TABLE t%n ALTER x SET NOT NULL", _T),
    Case("ALTER TABLE t%n ALTER x SET NOT NULL, DROP CONSTRAINT x_there", _T, ("scan t",)),
    Case("ALTER TABLE t%n ADD CONSTRAINT nn NOT NULL y NOT VALID", _T, since=18),
    # ALTER TYPE
    Case("ALTER TABLE t%n ALTER v TYPE varchar(20)", _T),
    Case("ALTER TABLE t%n ALTER v TYPE text", _T),
    Case("ALTER TABLE lower%n ALTER v TYPE varchar(20)", {"lower": AE}, ("build lower",)),
    Case("ALTER TABLE t%n ALTER num TYPE numeric(12,2)", _T),
    Case("ALTER TABLE t%n ALTER num TYPE numeric", _T),
    Case("ALTER TABLE t%n ALTER net TYPE inet", _T),
    Case("ALTER TABLE t%n ALTER small TYPE plain%n USING small::integer", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ALTER y TYPE plain%n", _T, ("scan t",)),
    Case("ALTER TABLE t%n ALTER txt TYPE varchar USING txt::varchar", _T),
    Case("ALTER TABLE t%n ALTER y TYPE bigint", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ALTER small TYPE integer", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ALTER txt TYPE varchar(50)", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ALTER v TYPE varchar(5)", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ALTER num TYPE numeric(12,4)", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ALTER ch TYPE text", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ALTER ip TYPE cidr", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ALTER ts TYPE date", _T, ("rewrite t",)),
    Case("ALTER TABLE t%n ALTER ts TYPE timestamptz", _T),
    Case("ALTER TABLE t%n ALTER id TYPE numeric; SELECT * FROM c%n", {"t": AE, "c": AE}, ("rewrite t",)),
    # weaker than writing
    Case("ALTER TABLE t%n ALTER x SET STATISTICS 500", {"t": SUE}),
    Case("ALTER TABLE t%n SET (fillfactor = 80)", {"t": SUE}),
    Case("ALTER TABLE t%n SET (autovacuum_enabled = false)", {"t": SUE}),
    Case("ALTER TABLE t%n VALIDATE CONSTRAINT z_there", {"t": SUE}, ("scan t",)),
    Case("ALTER TABLE c%n VALIDATE CONSTRAINT nvfk%n", {"c": SUE, "t": RS}, ("scan c", "scan t")),
    Case("COMMENT ON TABLE t%n IS 'x'", {"t": SUE}),
    Case("CREATE STATISTICS st%n ON x, y FROM t%n", {"t": SUE}),
    Case("ANALYZE t%n", {"t": SUE}),
    # constraints
    Case("ALTER TABLE t%n ADD CONSTRAINT k CHECK (y < 100)", _T, ("scan t",)),
    Case("ALTER TABLE t%n ADD CONSTRAINT k CHECK (y < 100) NOT VALID", _T),
    Case("ALTER TABLE t%n ADD FOREIGN KEY (rid) REFERENCES r%n", {"t": SRE, "r": SRE}, ("scan t", "scan r")),
    Case("ALTER TABLE t%n ADD FOREIGN KEY (rid) REFERENCES r%n NOT VALID", {"t": SRE, "r": SRE}),
    Case("ALTER TABLE c%n DROP CONSTRAINT c%n_r", {"c": AE, "r": AE}),
    Case("DROP TABLE c%n", {"c": AE, "r": AE, "t": AE}),
    Case("DROP TABLE r%n CASCADE; SELECT 1 FROM c%n", {"r": AE, "c": AE}),
    Case("ALTER TABLE r%n DROP CONSTRAINT r%n_pkey CASCADE; SELECT 1 FROM c%n", {"r": AE, "c": AE}),
    Case("ALTER TABLE t%n ADD UNIQUE (y)", _T, ("build t",)),
    Case("ALTER TABLE t%n ADD EXCLUDE USING btree (y WITH =)", _T, ("build t", "scan t")),
    Case("ALTER TABLE u%n ADD UNIQUE USING INDEX u%n_a", {"u": AE}),
    Case("ALTER TABLE u%n ADD PRIMARY KEY USING INDEX u%n_a", {"u": AE}),
    Case("ALTER TABLE u%n ADD PRIMARY KEY USING INDEX u%n_b", {"u": AE}, ("scan u",)),
    Case("ALTER TABLE c%n ALTER CONSTRAINT c%n_r NOT ENFORCED", {"c": AE, "r": AE}, since=18),
    # indexes
    Case("CREATE INDEX i%n ON t%n (y)", {"t": S}, ("build t",)),
    Case("CREATE INDEX IF NOT EXISTS t%n_x ON t%n (x)", {"t": S}),
    Case("DROP INDEX t%n_x; SELECT 1 FROM t%n", _T),
    Case("CREATE INDEX CONCURRENTLY i%n ON t%n (y)", {"t": SUE}, ("build t",)),
    Case("DROP INDEX CONCURRENTLY t%n_x", {"t": SUE}),
    Case("REINDEX INDEX CONCURRENTLY t%n_x", {"t": SUE}, ("build t",)),
    Case("REINDEX TABLE CONCURRENTLY u%n", {"u": SUE}, ("build u",)),
    Case("REINDEX TABLE u%n", {"u": S}, ("build u",)),
    Case("REINDEX INDEX t%n_x; SELECT 1 FROM t%n", {"t": S}, ("build t",)),
    Case("ALTER INDEX t%n_x RENAME TO x%n; SELECT 1 FROM t%n", {}),
    # whole tables
    Case("CLUSTER u%n USING u%n_a", {"u": AE}, ("rewrite u",)),
    Case("VACUUM FULL u%n", {"u": AE}, ("rewrite u",)),
    Case("VACUUM u%n", {"u": SUE}),
    Case("ALTER TABLE u%n SET UNLOGGED", {"u": AE}, ("rewrite u",)),
    Case("TRUNCATE u%n", {"u": AE}, ("empty u",)),
    Case("TRUNCATE r%n CASCADE; SELECT 1 FROM c%n", {"r": AE, "c": AE}, ("empty r", "empty c")),
    Case("DO $$ BEGIN TRUNCATE u%n; END $$", {"u": AE}, ("empty u",)),
    Case("DO $$ BEGIN ALTER TABLE t%n ALTER y TYPE bigint; END $$", _T, ("rewrite t",)),
    Case("DO $$ BEGIN ALTER TABLE t%n ADD CHECK (y < 9); END $$", _T, ("scan t",)),
    Case("LOCK TABLE t%n IN EXCLUSIVE MODE", {"t": E}),
    Case("REFRESH MATERIALIZED VIEW mv%n", {"mv": AE, "r": AS}, ("rewrite mv", "scan r")),
    Case("REFRESH MATERIALIZED VIEW CONCURRENTLY mv%n", {"mv": E, "r": AS}, ("scan mv", "scan r")),
    Case("CREATE OR REPLACE VIEW v%n AS SELECT id FROM r%n WHERE id > 1", {"v": AE, "r": AS}),
    # triggers
    Case("CREATE TRIGGER w BEFORE INSERT ON t%n FOR EACH ROW EXECUTE FUNCTION f%n()", {"t": SRE}),
    Case("CREATE OR REPLACE TRIGGER w BEFORE INSERT ON t%n FOR EACH ROW EXECUTE FUNCTION f%n()", {"t": SRE}),
    Case("ALTER TABLE t%n DISABLE TRIGGER tr%n", {"t": SRE}),
    # new tables and partitions
    Case("CREATE TABLE w%n (id bigint REFERENCES r%n)", {"r": SRE}),
    Case("CREATE TABLE w%n PARTITION OF n%n FOR VALUES IN (2)", {"n": AE}),
    Case("CREATE TABLE w%n PARTITION OF p%n FOR VALUES IN (2)", {"p": AE, "pd": AE}, ("scan pd",)),
    Case("ALTER TABLE p%n ATTACH PARTITION q%n FOR VALUES IN (7)", {"p": SUE, "q": AE, "pd": AE}, ("scan q", "scan pd")),
    Case("ALTER TABLE p%n ATTACH PARTITION qc%n FOR VALUES IN (7)", {"p": SUE, "qc": AE, "pd": AE}, ("scan pd",)),
    Case("ALTER TABLE p%n DETACH PARTITION p1%n", {"p": AE, "p1": AE, "pd": AE}),
    Case("ALTER TABLE n%n DETACH PARTITION n1%n CONCURRENTLY", {"n": SUE, "n1": AE}),
    Case("DROP TABLE p1%n", {"p": AE, "p1": AE, "pd": AE}),
    Case("ALTER TABLE n%n ADD UNIQUE (id, k)", {"n": AE, "n1": S}, ("build n1",), on={18: {"n": AE, "n1": AE}}),
    Case("CREATE INDEX ON n%n (id)", {"n": S, "n1": S}, ("build n1",)),
    # rights, types, rows
    Case("GRANT SELECT ON t%n TO PUBLIC", {}, on={18: {"t": AS}}),
    Case("ALTER TYPE en%n ADD VALUE 'c'", {}),
    Case("ALTER DOMAIN strict%n ADD CHECK (VALUE < 9); SELECT 1 FROM d%n", {"d": S}, ("scan d",)),
    Case("ALTER DOMAIN strict%n ADD CHECK (VALUE < 9) NOT VALID; SELECT 1 FROM d%n", {}),
    Case("INSERT INTO c%n (id, rid) SELECT 1, NULL", {"c": RE}),
    Case("UPDATE u%n SET a = a", {"u": RE}, ("scan u",)),
)
