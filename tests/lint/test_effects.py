"""Every rule's page tells the truth: its bad SQL has the stated effect on a server, its good SQL has not."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from bgce_migrate.lint import Rule
from bgce_migrate.lint.pages import Page, page_of
from bgce_migrate.lint.rules import RULES
from bgce_migrate.servers import Server
from tests.lint.measure import Measured, prepare, run
from tests.unit.lint.pages import file


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_the_page_is_what_the_server_does(
    rule: Rule, server: Server, make_database: Callable[..., str]
) -> None:
    page = page_of(rule)
    if server.major not in page.servers:
        pytest.skip(f"the page is about PostgreSQL {page.servers}")
    shop = make_database()
    with psycopg.connect(shop, autocommit=True) as connection:
        prepare(connection, page.setup)
        for bad in (file(bad, 2) for bad in page.bad):
            if bad.transactional:
                _judge_bad(page, run(connection, bad, keep=False))
        for good in page.good:
            measured = run(connection, file(good, 2), keep=True)
            assert not measured.error, measured
            assert page.effect == "none" or not measured.shows(page.effect), measured
    for bad in (file(bad, 2) for bad in page.bad):
        if not bad.transactional:
            with psycopg.connect(make_database(), autocommit=True) as connection:
                prepare(connection, page.setup)
                _judge_bad(page, run(connection, bad, keep=True))


def _judge_bad(page: Page, measured: Measured) -> None:
    assert measured.shows(page.effect), measured
    assert page.effect.startswith("error") or not measured.error, measured
