"""The evaluation cases as projects: what is deployed before, the file at hand, and the verdict it must get."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bgce_migrate.linting import Request, lint, load
from bgce_migrate.locking import extend_lock
from bgce_migrate.migration import Finding, Severity
from tests.lint_cases.scene import write
from tests.unit.lint.test_cases import CASES, FAIL, PASS, PAST, WARN

#: Cases about borders; those about locks and rewrites are `CASES`.
BORDERS: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("28", "DROP TYPE billing.mood CASCADE;", FAIL, ("foreign-change",)),
    ("28b", "DROP TYPE orders.mood CASCADE;", FAIL, ("cascade-to-others",)),
    ("29", "RESET ROLE; ALTER TABLE billing.invoices ADD z int;", FAIL, ("role-switch", "foreign-change")),
    ("30", "CREATE TABLE orders.x (id bigint PRIMARY KEY, p bigint REFERENCES hr.staff(id));", FAIL, ("undeclared-key",)),
    ("31", "CREATE TABLE orders.x (id bigint PRIMARY KEY, p bigint REFERENCES crm.people(id)); CREATE INDEX ON orders.x (p);", WARN, ("hot-parent",)),
    (
        "33",
        "CREATE FUNCTION orders.pay(bigint) RETURNS void LANGUAGE sql SECURITY DEFINER AS"
        " 'UPDATE orders.t SET a = 1 WHERE id = $1';",
        FAIL,
        ("definer-search-path", "definer-public"),
    ),
    ("38", "WITH x AS (UPDATE billing.invoices SET paid = true RETURNING 1) SELECT * FROM x;", FAIL, ("foreign-write",)),
    ("39", "INSERT INTO orders.audit (id) SELECT id FROM crm.people WHERE id > 5;", PASS, ()),
    ("40", "DO $$ BEGIN PERFORM set_config('role', 'billing_owner', false); END $$;", FAIL, ("role-switch",)),
)

_NEIGHBOURS = {
    "bgce.toml": (
        '[project]\nname = "eval"\ndomains = ["m/crm", "m/billing", "m/hr", "m/legacy", "m/orders"]\n'
        '[lint]\nhot = ["crm:people"]\n'
    ),
    "m/crm/domain.toml": 'name = "crm"\nteam = "people"\nschema = "crm"\n[tables.people]\n',
    "m/crm/000001_people.up.sql": "CREATE SCHEMA crm;\nCREATE TABLE crm.people (id bigint PRIMARY KEY);\n",
    "m/billing/domain.toml": 'name = "billing"\nteam = "finance"\nschema = "billing"\nrequires = ["orders"]\n[tables.invoices]\n[tables.rows]\n',
    "m/billing/000001_invoices.up.sql": (
        "CREATE SCHEMA billing;\nCREATE TYPE billing.mood AS ENUM ('a');\n"
        "CREATE TABLE billing.invoices (id bigint PRIMARY KEY, paid boolean);\n"
    ),
    "m/billing/000002_rows.up.sql": "CREATE TABLE billing.rows (id bigint PRIMARY KEY, m orders.mood);\n",
    "m/hr/domain.toml": 'name = "hr"\nteam = "hr"\nschema = "hr"\n[tables.staff]\n',
    "m/hr/000001_staff.up.sql": "CREATE SCHEMA hr;\nCREATE TABLE hr.staff (id bigint PRIMARY KEY);\n",
    "m/legacy/domain.toml": 'name = "legacy"\n[tables.users]\n',
    "m/legacy/000001_users.up.sql": "CREATE SCHEMA staging;\nCREATE TABLE public.users (id bigint PRIMARY KEY, email text);\n",
    "m/orders/domain.toml": (
        'name = "orders"\nteam = "checkout"\nschema = "orders"\nrequires = ["crm"]\n'
        + "".join(f"[tables.{t}]\n" for t in ("t", "f", "audit", "p", "q", "p1", "qd", "q9", "loose", "m", "nt", "x"))
    ),
}
#: Statements of the past that are other domains' to make.
_ELSEWHERE = (
    "CREATE SCHEMA crm;", "CREATE SCHEMA billing;", "CREATE SCHEMA staging;",
    "CREATE TABLE crm.people (id bigint PRIMARY KEY);", "CREATE TABLE public.users (id bigint PRIMARY KEY, email text);",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One case: what was there before, the file, its verdict, the rules that must speak."""

    number: str
    sql: str
    verdict: str
    rules: tuple[str, ...]
    past: tuple[str, ...]
    target: int


def evaluations() -> Iterator[Evaluation]:
    """All cases, in the order of their numbers."""
    for case in CASES:
        past = (case.past,) if isinstance(case.past, str) else case.past
        yield Evaluation(case.number, case.sql, case.verdict, (case.rule,) if case.rule else (), past, case.target)
    for number, sql, verdict, rules in BORDERS:
        yield Evaluation(number, sql, verdict, rules, (PAST,), 17)


def findings(case: Evaluation, root: Path) -> tuple[Finding, ...]:
    """What all sources together say of the file, in a project where everything before is locked."""
    files = dict(_NEIGHBOURS)
    for number, text in enumerate(case.past, 1):
        for statement in _ELSEWHERE:
            text = text.replace(statement, "")
        files[f"m/orders/{number:06d}_past.up.sql"] = text
    write(root, files)
    loaded = load(root)
    assert loaded.tree is not None, loaded.findings
    extend_lock(loaded.tree, check=False)
    write(root, {f"m/orders/{len(case.past) + 1:06d}_new.up.sql": case.sql})
    return lint(load(root), Request(target=case.target, use_git=False, style=False)).findings


def verdict(found: tuple[Finding, ...]) -> str:
    """PASS where there are notes at most."""
    severities = {f.severity for f in found}
    return FAIL if Severity.ERROR in severities else WARN if Severity.WARNING in severities else PASS
