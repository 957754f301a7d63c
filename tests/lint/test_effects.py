"""Every rule's page tells the truth: its bad SQL has the stated effect on a server, its good SQL has not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from bgce_migrate.lint import Rule
from bgce_migrate.lint.pages import Page, page_of
from bgce_migrate.lint.rules import RULES
from bgce_migrate.servers import Server
from tests.lint.measure import Connection, Measured, prepare, reset, run
from tests.servers import DatabaseMaker, as_superuser
from tests.unit.lint.pages import file


@pytest.fixture(scope="module")
def shop(server: Server) -> Iterator[str]:
    """One database for all pages; each page empties it first."""
    maker = DatabaseMaker(server)
    yield as_superuser(maker())
    maker.clean()


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_the_page_is_what_the_server_does(rule: Rule, server: Server, shop: str) -> None:
    page = page_of(rule)
    if server.major not in page.servers:
        pytest.skip(f"the page is about PostgreSQL {page.servers}")
    apart = [bad for bad in (file(sql, 2) for sql in page.bad) if not bad.transactional]
    with _emptied(shop, page) as connection:
        for bad in (file(sql, 2) for sql in page.bad):
            if bad.transactional:
                _judge_bad(page, run(connection, bad, keep=False))
        for good in page.good:
            measured = run(connection, file(good, 2), keep=True)
            assert not measured.error, measured
            assert page.effect == "none" or not measured.shows(page.effect), measured
    for bad in apart:
        with _emptied(shop, page) as connection:
            _judge_bad(page, run(connection, bad, keep=True))


@contextmanager
def _emptied(url: str, page: Page) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        reset(connection)
        prepare(connection, page.setup)
        yield connection


def _judge_bad(page: Page, measured: Measured) -> None:
    assert measured.shows(page.effect), measured
    assert page.effect.startswith("error") or not measured.error, measured
