"""The scene's four domains on a real server: bootstrapped, applied by the engine, and ready for one more migration."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg

from bgce_migrate.linting import load
from bgce_migrate.locking import extend_lock
from bgce_migrate.sqlparse import split
from tests.e2e.desks import require_done, up
from tests.e2e.platform import Guarded, bootstrap
from tests.lint_cases.scene import BASE, TOML, write

#: What `bootstrap` makes, and what only an administrator may.
_NOT_THEIRS = re.compile(r"^CREATE (SCHEMA \w+|PUBLICATION .*);\n", re.MULTILINE)
#: To make a publication takes CREATE on the database, which owners have not.
_BY_HAND = "CREATE PUBLICATION feed FOR TABLE orders.notes; ALTER PUBLICATION feed OWNER TO orders_owner"
#: What orders has used of crm, as it declares: `up` gives the rights for it.
_USES = """\
CREATE TABLE orders.known (id bigint PRIMARY KEY, person_id bigint REFERENCES crm.people (id));
CREATE VIEW orders.people WITH (security_invoker = true) AS SELECT id, name FROM crm.people;
CREATE TRIGGER known_touch BEFORE UPDATE ON orders.known FOR EACH ROW EXECUTE FUNCTION crm.touch();
"""


def make(root: Path, url: str) -> Guarded:
    """A guarded database of the scene."""
    files = {name: _NOT_THEIRS.sub("", text) for name, text in BASE.items()}
    files["migrations/orders/000002_uses.up.sql"] = _USES
    files["bgce.toml"] = TOML.replace('extensions = ["pgcrypto"]\n', "")
    write(root, files)
    lock(root)
    guarded = bootstrap(root, url)
    require_done(up(root, guarded.url))
    with psycopg.connect(guarded.superuser, autocommit=True) as connection:
        connection.execute(_BY_HAND)
    return guarded


def lock(root: Path) -> None:
    """Record what is new."""
    tree = load(root).tree
    assert tree is not None
    extend_lock(tree, check=False)


def run(guarded: Guarded, sql: str) -> str:
    """What the server says to a migration of orders, run as a step runs it: "" or SQLSTATE. Nothing is kept."""
    with psycopg.connect(guarded.url) as connection:
        try:
            connection.execute("SET LOCAL search_path = orders; SET LOCAL ROLE orders_owner")
            for statement in split(sql):
                connection.execute(statement.encode())
        except psycopg.Error as error:
            return error.sqlstate or "?"
        finally:
            connection.rollback()
    return ""
