"""The four databases of the platform as found: each recognised for what it is, and written as a history of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.adopt.scene import ask, call, fingerprint, run_sql, write_tree
from tests.adopt.shapes import SERVICES, build, services

pytestmark = [pytest.mark.usefixtures("here"), pytest.mark.postgres(18)]

#: By shape: in one word, and the tables that are told of with the migration that makes them.
FOUND = {
    "A": ("as-recorded", {}),
    "B": ("missing", {"public.categories": "cortex/000003_create_categories"}),
    "C": ("auto-migrated", {
        "public.tenants": "cortex/000001_create_tenants", "public.users": "cortex/000002_create_users",
        "public.categories": "cortex/000003_create_categories", "public.posts": "postal/000002_create_posts",
        "public.post_versions": "postal/000004_create_post_versions",
    }),
    "D": ("changed-since", {
        "public.tenants": "cortex/000001_create_tenants", "public.users": "cortex/000002_create_users",
        "public.categories": "cortex/000003_create_categories",
    }),
}  # fmt: skip


def rows_of(url: str) -> dict[str, int]:
    names = [str(r[0]) for r in ask(url, "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")]
    return {name: int(ask(url, f'SELECT count(*) FROM "{name}"')[0][0]) for name in names}


@pytest.mark.parametrize("shape", FOUND)
def test_is_recognised_for_what_it_is(shape: str, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for service, files in services().items():
        write_tree(tmp_path / "tree" / service, files)
    run_sql(database, *build(shape))
    code, document, _ = call(capsys, "adopt", "--yes", "-d", database, "--migrations", str(tmp_path / "tree"))
    word, tables = FOUND[shape]
    assert document["shape"] == word
    assert {e["table"]: e["migration"]["id"] for e in document["evidence"]} == tables
    assert {e["word"] for e in document["evidence"]} == ({word} if tables else set())
    assert [ledger["says"].endswith("clean") for ledger in document["ledgers"]] == [True] * len(document["ledgers"])
    assert code == (0 if shape == "A" else 3)
    if shape == "A":
        assert len(document["recorded"]) == 15
        code, document, _ = call(capsys, "up", "-d", database, "--migrations", str(tmp_path / "tree"))
        assert (code, document["result"]) == (0, "nothing_to_do")
    else:
        assert document["differences"]
        assert not ask(database, "SELECT 1 FROM pg_namespace WHERE nspname = 'bgce_migrate'")


@pytest.mark.parametrize("shape", FOUND)
def test_generates_a_history_that_replays_to_it_exactly(
    shape: str, here: Path, database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_sql(database, *build(shape))
    before, rows = fingerprint(database), rows_of(database)
    assert all(rows.values())
    out = here / f"written_{shape}"

    code, document, said = call(capsys, "adopt", "--generate", "--yes", "--into", str(out), "-d", database)
    assert (code, document["equal"], document["generated"]) == (0, True, True), said
    made = {d["name"]: set(d["tables"]) for d in document["domains"]}
    assert made["cortex"] == ({"tenants", "users"} if shape == "B" else set(SERVICES["cortex"]))
    assert {row["reason"] for row in document["tables"]} == {"declared"}
    assert (fingerprint(database), rows_of(database)) == (before, rows)

    given = ["-d", database]
    if shape == "D":
        monkeypatch.chdir(out)
    else:  # as plain files, on the server that runs here
        given += ["--migrations", str(out / "migrations")]
    code, document, said = call(capsys, "adopt", "--yes", *given)
    assert (code, document["differences"]) == (0, []), said
    code, document, _ = call(capsys, "up", *given)
    assert (code, document["result"]) == (0, "nothing_to_do")
    assert (fingerprint(database), rows_of(database)) == (before, rows)


def test_every_generated_down_undoes_its_up(
    here: Path, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_sql(database, *build("C"))
    out = here / "written_downs"
    assert call(capsys, "adopt", "--generate", "--yes", "--into", str(out), "-d", database)[0] == 0
    code, document, _ = call(capsys, "verify", "--migrations", str(out / "migrations"))
    assert code == 0
    assert {m["verdict"] for m in document["migrations"]} == {"ok"}
