"""The evaluation cases of hard single files, with the verdict each must get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from bgce_migrate.lint import LintConfig
from bgce_migrate.migration import Finding, Severity
from tests.unit.lint.pages import lint

PASS, WARN, FAIL = "pass", "warn", "fail"
#: What is deployed before: tables with rows, partitions, types, a domain.
PAST = """
CREATE SCHEMA orders; CREATE SCHEMA crm; CREATE SCHEMA billing; CREATE SCHEMA staging;
CREATE TABLE crm.people (id bigint PRIMARY KEY);
CREATE TABLE orders.t (
    id bigint PRIMARY KEY, a int, b varchar(50), c text, x int, r tsrange, CONSTRAINT t_c_check CHECK (c <> '')
);
CREATE TABLE orders.f (id bigint PRIMARY KEY, p bigint, CONSTRAINT f_people_fk FOREIGN KEY (p) REFERENCES crm.people);
CREATE INDEX f_p ON orders.f (p);
CREATE TABLE orders.audit (id bigint PRIMARY KEY, stmt text);
CREATE TABLE orders.p (k int NOT NULL, v text) PARTITION BY LIST (k);
CREATE TABLE orders.p1 PARTITION OF orders.p FOR VALUES IN (1);
CREATE TABLE orders.q (k int NOT NULL, v text) PARTITION BY LIST (k);
CREATE TABLE orders.qd PARTITION OF orders.q DEFAULT;
CREATE TABLE orders.loose (k int NOT NULL, v text);
CREATE TABLE public.users (id bigint PRIMARY KEY, email text);
CREATE TYPE orders.mood AS ENUM ('a', 'b', 'c');
CREATE TABLE orders.m (id bigint PRIMARY KEY, m orders.mood);
CREATE DOMAIN orders.positive_int AS int CHECK (VALUE > 0);
"""
LOWER = PAST + "CREATE INDEX t_b_lower ON orders.t (lower(b));"
NN = "ALTER TABLE orders.t ADD CONSTRAINT x_nn CHECK (x IS NOT NULL) NOT VALID;"
PROVEN = (
    PAST,
    "UPDATE orders.t SET x = 0 WHERE x IS NULL;",
    NN,
    "ALTER TABLE orders.t VALIDATE CONSTRAINT x_nn;",
)
BACKFILLED = PROVEN[:2]


@dataclass(frozen=True)
class Case:
    """Number, SQL, verdict, the rule that must (or must not) speak, and what is before."""

    number: str
    sql: str
    verdict: str
    rule: str = ""
    past: str | tuple[str, ...] = PAST
    target: int = 17
    hides: str = ""


CASES = (
    Case("1", "ALTER TABLE orders.t ADD z timestamptz NOT NULL DEFAULT now();", PASS),
    Case(
        "2",
        "ALTER TABLE orders.t ADD z timestamptz NOT NULL DEFAULT clock_timestamp();",
        FAIL,
        "add-column-volatile-default",
    ),
    Case(
        "3",
        "ALTER TABLE orders.t ADD z bigint REFERENCES crm.people(id);",
        WARN,
        "add-column-reference",
        hides="read",
    ),
    Case(
        "4",
        "ALTER TABLE orders.t ADD z bigint DEFAULT 1 REFERENCES crm.people(id);",
        FAIL,
        "add-column-reference-default",
    ),
    Case("5", "ALTER TABLE orders.t ADD z int CHECK (z > 0);", FAIL, "add-column-check"),
    Case("6", "ALTER TABLE orders.t ALTER b TYPE varchar(100);", PASS),
    Case("7", "ALTER TABLE orders.t ALTER b TYPE varchar(100);", FAIL, "column-type-index-rebuild", LOWER),
    Case(
        "8",
        "CREATE TABLE IF NOT EXISTS orders.t (id bigint PRIMARY KEY, a int); CREATE INDEX i ON orders.t (a);",
        FAIL,
        "index-not-concurrent",
    ),
    Case(
        "9",
        "BEGIN; CREATE TABLE orders.nt (id bigint PRIMARY KEY, a int); CREATE INDEX nt_a ON orders.nt (a); COMMIT;",
        WARN,
        "transaction-control",
    ),
    Case(
        "10",
        "CREATE TABLE orders.nt (id bigint PRIMARY KEY, a int); CREATE INDEX nt_a ON orders.nt (a);",
        PASS,
    ),
    Case(
        "11",
        "CREATE TABLE staging.users (id bigint PRIMARY KEY); CREATE INDEX i ON public.users (email);",
        FAIL,
        "index-not-concurrent",
    ),
    Case("12", "ALTER TABLE orders.t ALTER x SET NOT NULL;", PASS, past=PROVEN),
    Case("12-not-valid", "ALTER TABLE orders.t ALTER x SET NOT NULL;", FAIL, "set-not-null", PROVEN[:3]),
    Case(
        "13",
        "ALTER TABLE orders.t ALTER x SET NOT NULL, DROP CONSTRAINT x_nn;",
        FAIL,
        "not-null-proof-dropped",
        PROVEN,
    ),
    Case(
        "14",
        "ALTER TABLE orders.t ADD CONSTRAINT k CHECK (a > 0) NOT VALID; ALTER TABLE orders.t VALIDATE CONSTRAINT k;",
        FAIL,
        "validate-same-transaction",
    ),
    Case("15", "DO $$ BEGIN ALTER TABLE orders.t ALTER a TYPE bigint; END $$;", FAIL, "column-type-rewrite"),
    Case(
        "16",
        "SET lock_timeout = '1s'; CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON orders.t (a);",
        FAIL,
        "concurrently-if-not-exists",
    ),
    Case(
        "16-timeout",
        "SET lock_timeout = '1s'; CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON orders.t (a);",
        FAIL,
        "concurrently-with-timeout",
    ),
    Case(
        "17",
        "CREATE TABLE orders.q9 PARTITION OF orders.q FOR VALUES IN (9);",
        FAIL,
        "partition-beside-default",
    ),
    Case(
        "17-parent",
        "CREATE TABLE orders.q9 PARTITION OF orders.q FOR VALUES IN (9);",
        FAIL,
        "create-partition",
    ),
    Case(
        "18",
        "ALTER TABLE orders.p ATTACH PARTITION orders.loose FOR VALUES IN (9);",
        FAIL,
        "attach-without-check",
    ),
    Case(
        "18b",
        "ALTER TABLE orders.p ATTACH PARTITION orders.loose FOR VALUES IN (9);",
        PASS,
        past=(
            PAST,
            "ALTER TABLE orders.loose ADD CONSTRAINT nine CHECK (k = 9) NOT VALID;",
            "ALTER TABLE orders.loose VALIDATE CONSTRAINT nine;",
        ),
    ),
    Case("19", "ALTER TABLE orders.f DROP CONSTRAINT f_people_fk;", WARN, "drop-foreign-key"),
    Case(
        "20",
        "ALTER TYPE orders.mood ADD VALUE 'd' AFTER 'c'; UPDATE orders.m SET m = 'd' WHERE id = 1;",
        FAIL,
        "enum-value-used",
    ),
    Case("20b", "ALTER TYPE orders.mood ADD VALUE 'd' AFTER 'c';", PASS),
    Case("21", "ALTER TABLE orders.t ALTER b TYPE text USING b::text;", PASS),
    Case("22", "ALTER TABLE orders.t ADD z int; UPDATE orders.t SET z = a;", FAIL, "backfill-with-ddl"),
    Case(
        "23",
        "COMMENT ON TABLE orders.t IS 'DROP TABLE users'; INSERT INTO orders.audit (id, stmt) VALUES (1, 'ALTER TABLE x');",
        PASS,
    ),
    Case(
        "24",
        "CREATE INDEX i ON orders.p (k);",
        FAIL,
        "index-on-partitioned",
        hides="CREATE INDEX CONCURRENTLY",
    ),
    Case("25", "ALTER TABLE orders.t ADD z int GENERATED ALWAYS AS (a + 1) VIRTUAL;", PASS, target=18),
    Case(
        "25-old",
        "ALTER TABLE orders.t ADD z int GENERATED ALWAYS AS (a + 1) VIRTUAL;",
        FAIL,
        "virtual-generated-column",
    ),
    Case(
        "26", "ALTER TABLE orders.t ADD CONSTRAINT n NOT NULL x NOT VALID;", PASS, past=BACKFILLED, target=18
    ),
    Case(
        "26-early",
        "ALTER TABLE orders.t ADD CONSTRAINT n NOT NULL x NOT VALID;",
        FAIL,
        "not-null-before-backfill",
        target=18,
    ),
    Case(
        "26-old",
        "ALTER TABLE orders.t ADD CONSTRAINT n NOT NULL x NOT VALID;",
        FAIL,
        "not-null-not-valid",
        BACKFILLED,
    ),
    Case(
        "27",
        "ALTER TABLE orders.t ADD CONSTRAINT e EXCLUDE USING gist (r WITH &&);",
        FAIL,
        "add-exclude",
        hides="NOT VALID",
    ),
    Case("32", "ALTER TABLE orders.t ADD z orders.positive_int;", FAIL, "add-column-domain"),
    Case(
        "34",
        "ALTER TABLE orders.t ADD CONSTRAINT x_nn CHECK (x IS NOT NULL) NOT VALID;",
        FAIL,
        "not-null-before-backfill",
    ),
    Case(
        "35",
        "ALTER TABLE orders.t ADD CONSTRAINT u UNIQUE USING INDEX t_u;",
        PASS,
        past=PAST + "CREATE UNIQUE INDEX t_u ON orders.t (a);",
    ),
    Case(
        "36",
        "CREATE TABLE orders.nt (id bigint PRIMARY KEY, a int); CREATE INDEX nt_a ON orders.nt (a); DROP INDEX orders.nt_a;",
        PASS,
    ),
    Case(
        "37",
        "ALTER TABLE orders.t DROP COLUMN b;",
        FAIL,
        "drop-column-takes-more",
        PAST + "ALTER TABLE orders.t ADD CONSTRAINT t_a_b UNIQUE (a, b);",
    ),
)
_ORDER = {Severity.NOTE: PASS, Severity.WARNING: WARN, Severity.ERROR: FAIL}


def verdict(findings: Sequence[Finding]) -> str:
    """PASS where there are notes at most."""
    found = {_ORDER[finding.severity] for finding in findings}
    return FAIL if FAIL in found else WARN if WARN in found else PASS


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.number)
def test_the_verdict_is_right(case: Case) -> None:
    found = lint(case.sql, setup=case.past, target=case.target)
    said = [f"{f.severity.value} {f.rule}: {f.message}" for f in found]
    assert verdict(found) == case.verdict, said
    about = [f for f in found if f.rule == case.rule]
    assert about or not case.rule, said
    if case.hides:
        assert not any(case.hides in f"{f.message} {f.hint} {f.fix}" for f in about), said


def test_the_lost_key_is_named() -> None:
    case = next(c for c in CASES if c.number == "37")
    found = lint(case.sql, setup=case.past)
    assert any("t_a_b" in f.message for f in found if f.rule == case.rule)


def test_without_a_whole_history_if_not_exists_proves_nothing() -> None:
    sql = (
        "CREATE TABLE IF NOT EXISTS orders.t (id bigint PRIMARY KEY, a int); CREATE INDEX i ON orders.t (a);"
    )
    assert "index-not-concurrent" not in {f.rule for f in lint(sql)}
    assert "index-not-concurrent" in {f.rule for f in lint(sql, config=LintConfig(complete=False))}


def test_a_table_of_an_earlier_new_migration_is_new() -> None:
    found = lint(["CREATE TABLE t (id bigint PRIMARY KEY, a int);", "CREATE INDEX t_a ON t (a);"])
    assert found == ()
