"""A small project with services of three domains, one of whose next steps hurts others."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psycopg

from tests.cli.program import SHOP, bgce, write

#: Beside the shop's two domains: one that reads users, and a service that only reads.
FILES: dict[str, str | bytes] = {
    **SHOP,
    "bgce.toml": '[project]\nname = "shop"\ndomains = ["migrations/cortex", "migrations/postal", "migrations/stats"]\n',
    "migrations/stats/domain.toml": (
        'name = "stats"\nrequires = ["cortex"]\n[tables.counts]\n'
        '[[services]]\nname = "counter"\nlogin = "counter_user"\nreads = ["cortex:users"]\n'
    ),
    "migrations/stats/000001_create_counts.up.sql": "CREATE TABLE counts (id bigint PRIMARY KEY, n integer);\n",
    "migrations/stats/000001_create_counts.down.sql": "DROP TABLE counts;\n",
}
#: What is pending: a rewrite of another's darling, a key to it, something new, and what only looks heavy.
NEXT: dict[str, str | bytes] = {
    "migrations/cortex/000003_widen.up.sql": (
        "ALTER TABLE users ALTER COLUMN bio TYPE varchar(900);\nDO $$ BEGIN ALTER TABLE users ADD CHECK (id > 0); END $$;\n"
    ),
    "migrations/cortex/000003_widen.down.sql": "SELECT 1;\n",
    "migrations/postal/000002_key.up.sql": (
        "ALTER TABLE posts ADD COLUMN editor bigint;\n"
        "ALTER TABLE posts ADD CONSTRAINT posts_editor FOREIGN KEY (editor) REFERENCES users (id);\n"
    ),
    "migrations/postal/000002_key.down.sql": "SELECT 1;\n",
    "migrations/stats/000002_more.up.sql": (
        "CREATE TABLE fresh (id bigint PRIMARY KEY, n integer);\nALTER TABLE fresh ALTER n TYPE bigint;\nCREATE INDEX ON fresh (n);\n"
    ),
    "migrations/stats/000002_more.down.sql": "SELECT 1;\n",
}


def shop_with_rows(folder: Path, url: str) -> Path:
    """The project applied to a database, whose users are many; its next steps are written and pending."""
    project = write(folder / "shop", FILES)
    answer = bgce("up", "-d", url, cwd=project)
    assert answer.code == 0, answer.err
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("INSERT INTO users SELECT g, repeat('x', 200), 'b' FROM generate_series(1, 20000) g")
        connection.execute("ANALYZE")
    return write(project, NEXT)


def measured(*words: str | Path, cwd: Path, code: int = 0) -> dict[str, Any]:
    """`plan --measure --json`: what it says of measuring."""
    answer = bgce("plan", "--measure", "--json", *words, cwd=cwd, timeout=120)
    assert answer.code == code, answer.err + answer.out
    found = answer.document["measured"]
    assert isinstance(found, dict)
    return found


def step(found: dict[str, Any], id: str) -> dict[str, Any]:
    """One step of it."""
    (one,) = [s for s in found["steps"] if s["id"].startswith(id)]
    assert isinstance(one, dict)
    return one


def enlarge(file: Path, table: str, rows: int, size: int) -> None:
    """Make a table of a file of statistics larger than any that a test would fill."""
    document = json.loads(file.read_text())
    for one in document["tables"]:
        if one["name"] == table:
            one.update(rows=rows, bytes=size, index_bytes=size // 10)
    file.write_text(json.dumps(document))
