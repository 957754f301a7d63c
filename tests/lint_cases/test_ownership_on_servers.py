"""Every ownership rule's page on a guarded server: what it says the server refuses is refused, the good SQL runs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest

from bgce_migrate.lint.ownership import OWNERSHIP_RULES
from bgce_migrate.lint.ownership.values import OwnershipRule
from bgce_migrate.servers import Server
from tests.e2e.desks import up
from tests.e2e.platform import Guarded
from tests.lint_cases.guarded import lock, make, run
from tests.lint_cases.scene import write
from tests.lint_cases.test_documentation import PAGE
from tests.servers import DatabaseMaker


@pytest.fixture(scope="module")
def guarded(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    maker = DatabaseMaker(server)
    yield make(tmp_path_factory.mktemp("scene"), maker())
    maker.clean()


def part(rule: OwnershipRule, pattern: str) -> str:
    (found,) = re.findall(pattern, sys.modules[rule.module].__doc__ or "", re.MULTILINE | re.DOTALL)
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize("rule", OWNERSHIP_RULES, ids=lambda r: r.code)
def test_the_page_is_what_the_server_does(rule: OwnershipRule, guarded: Guarded) -> None:
    said = part(rule, r"^server: ([^\n]+)$")
    state = run(guarded, part(rule, r"```sql bad\n(.*?)```"))
    assert state == "" if said.startswith("runs it") else said == f"refuses it, {state}"
    assert run(guarded, part(rule, r"```sql good\n(.*?)```")) == ""
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {rule.code} | "))
    assert row.endswith(f" | {said} |")


def test_the_engine_refuses_what_reaches_others_by_cascade(guarded: Guarded) -> None:
    """X08: the server asks for no privilege, but the step holds a lock on what belongs to hr."""
    rule = next(rule for rule in OWNERSHIP_RULES if rule.code == "X08")
    write(guarded.project, {"migrations/orders/000003_drop.up.sql": part(rule, r"```sql bad\n(.*?)```")})
    lock(guarded.project)
    report = up(guarded.project, guarded.url)
    assert report.failure is not None and "hr.shifts" in report.failure.message, report
    assert run(guarded, "SELECT mood FROM orders.orders") == ""
