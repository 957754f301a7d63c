"""`look` on trees for which nothing was prepared: one page, whatever is in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgce_migrate.config import as_found
from bgce_migrate.errors import ConfigError
from bgce_migrate.looking.model import Look
from bgce_migrate.looking.run import look
from bgce_migrate.verify.model import Verdict
from tests.cli.program import bgce, write
from tests.git.repos import empty
from tests.look.trees import BROKEN, SHOP


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The scratch server is kept where one stands, not in the tree that is looked at."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


def verdicts(page: Look) -> dict[str, str]:
    return {p.id.short: p.verdict.value for p in page.proofs.proofs}


def test_one_page_about_two_services(tmp_path: Path) -> None:
    page = look(write(tmp_path / "tree", SHOP))
    assert [(f.name, f.folder, f.migrations, f.without_down, f.tables, f.needs) for f in page.folders] == [
        ("shop", "services/shop/migrations", 3, 1, 1, ()),
        ("mail", "services/mail/migrations", 2, 0, 1, ("shop",)),
    ]
    assert {a.folder: a.reason for a in page.aside} == {
        "services/mail/mysql": "its name says MySQL",
        "services/mail/testdata/old": "it lies in testdata",
    }
    [reference] = page.references
    assert (reference.user, reference.owner) == ("mail", "shop")
    assert "foreign key" in reference.objects["users"] and "plpgsql" not in reference.objects
    assert page.order[0].domain == "shop" and not page.unordered
    [claim] = page.claims
    assert (claim.kind, claim.name, claim.makers) == ("table", "users", ("shop",))
    assert {d: [(verb, i.short) for verb, i in done] for d, done in claim.domains.items()}["mail"] == [
        ("alters", "mail/000002")
    ]
    assert verdicts(page) == {
        "shop/000001": "ok", "shop/000002": "differs", "shop/000003": "missing", "mail/000001": "ok", "mail/000002": "ok",
    }  # fmt: skip
    assert "index-not-concurrent" in {h.rule for h in page.hazards}
    assert page.git.unknown == "the tree is in no git repository"
    assert not list((tmp_path / "tree").rglob(".bgce")), "nothing is written into what is looked at"


def test_whatever_is_broken_is_on_the_page_and_stops_nothing(tmp_path: Path) -> None:
    page = look(write(tmp_path / "tree", BROKEN))
    assert {f.name for f in page.folders} == {"a-db", "b-db", "fails", "good"}
    assert [a.folder for a in page.aside] == ["c/foreign"]
    assert {p.rule for p in page.problems} >= {"syntax", "unreadable-file", "duplicate-version"}
    assert [(c.name, c.makers) for c in page.claims] == [("users", ("a-db", "b-db"))]
    assert page.unordered and not page.order
    found = verdicts(page)
    assert found["good/000001"] == "ok"
    assert found["a-db/000001"] == "ok" and found["b-db/000001"] == "ok", "each by itself, for lack of an order"
    assert (found["fails/000001"], found["fails/000002"]) == ("error", "not_reached")
    assert next(p for p in page.proofs.proofs if p.verdict is Verdict.ERROR).message.startswith("the up fails")
    texts = [advice.text for advice in page.advice]
    assert "a-db" not in texts[0] and texts[0].startswith("mend what cannot be taken as it is")
    assert any("users" in text and "owns" in text for text in texts)


def test_edits_are_told_by_git_and_layout_is_none(tmp_path: Path) -> None:
    repository = empty(tmp_path / "tree")
    repository.commit("first", SHOP)
    users = "services/shop/migrations/000001_users"
    changed = repository.commit("edit", {f"{users}.up.sql": "CREATE TABLE users (id bigint PRIMARY KEY, email varchar);\n"})
    repository.commit("layout", {f"{users}.down.sql": "BEGIN;\n-- no longer needed\nDROP  TABLE users;\nCOMMIT;\n"})
    repository.git("checkout", "-q", "-b", "work")
    repository.commit("new", {"services/shop/migrations/000004_x.up.sql": "SELECT 1;\n"})
    repository.commit("better before it is merged", {"services/shop/migrations/000004_x.up.sql": "SELECT 2;\n"})
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "merge", "work")
    repository.commit("gone", {"services/mail/migrations/000002_seen.up.sql": None, "services/mail/migrations/000002_seen.down.sql": None})
    git = look(repository.root, verify=False).git
    assert [(e.path, e.commits) for e in git.edited] == [(f"{users}.up.sql", (changed[:10],))]
    assert git.untouched == 1
    assert git.removed == ("services/mail/migrations/000002_seen.down.sql", "services/mail/migrations/000002_seen.up.sql")
    inner = look(repository.root / "services" / "shop", verify=False).git
    assert [e.path for e in inner.edited] == ["migrations/000001_users.up.sql"]


def test_the_page_in_its_three_forms(tmp_path: Path) -> None:
    write(tmp_path / "tree", SHOP)
    page = bgce("look", "tree", "--no-verify", cwd=tmp_path)
    assert page.code == 0 and page.err == ""
    for words in ("tree: 2 domains, 5 migrations, 2 tables", "mail  shop  users (", "table users", "What to do first"):
        assert words in page.out, page.out
    text = bgce("look", "tree", "--no-verify", "--format", "markdown", cwd=tmp_path).out
    assert text.startswith("# tree: 2 domains") and "## What to do first\n\n1. " in text and "| <code>shop</code> |" in text
    document = bgce("look", "--migrations", "tree", "--no-verify", "--json", cwd=tmp_path).document
    assert document["schema"] == "bgce-migrate/look/1"
    assert [d["name"] for d in document["domains"]] == ["shop", "mail"]
    assert document["downs"] == {"asked": False, "migrations": [], "unproven": {}}
    assert document["claims"][0]["domains"]["mail"][0]["does"] == "alters"


def test_names_of_others_say_nothing_to_terminals_and_ci(tmp_path: Path) -> None:
    hostile = "::error ::oh\x1b[31m"
    write(tmp_path / "tree", {f"{hostile}/000001_a.up.sql": "CREATE TABLE a (id bigint);\n", "b/1_b.up.sql": "SELECT 1;\n"})
    for form in ("terminal", "markdown", "json"):
        page = bgce("look", "tree", "--no-verify", "--format", form, cwd=tmp_path)
        assert page.code == 0 and "oh" in page.out
        assert "\x1b" not in page.out + page.err and not [line for line in page.out.splitlines() if line.startswith("::")]


def test_downs_are_told_with_their_first_difference(tmp_path: Path) -> None:
    write(tmp_path / "tree", {n: t for n, t in SHOP.items() if "shop" in n})
    page = bgce("look", "tree", cwd=tmp_path)
    assert "proving the downs on a throw-away server" in page.err
    assert "of 3: 1 undo their up, 1 do not, 1 are missing" in page.out
    assert "index public.users_email is new" in page.out


def test_there_is_nothing_and_there_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    page = bgce("look", "empty", cwd=tmp_path)
    assert page.code == 0 and "there are none: migrations are named" in page.out
    missing = bgce("look", "nowhere", cwd=tmp_path)
    assert missing.code == 2 and "there is no folder" in missing.err


def test_names_say_where_folders_lie(tmp_path: Path) -> None:
    one = "SELECT 1;\n"
    tree = write(tmp_path / "t", {f"{p}/1_a.up.sql": one for p in ("a/db", "b/db", "b/DB/migrations", "c/migrations", "c2/c")})
    project, problems = as_found(tree)
    assert not problems
    names = {d.name: d.folder.relative_to(tree).as_posix() for d in project.domains}
    assert sorted(names.values()) == ["a/db", "b/DB/migrations", "b/db", "c/migrations", "c2/c"]
    assert names["a-db"] == "a/db" and len({n.casefold() for n in names}) == 5
    with pytest.raises(ConfigError, match="there is no folder"):
        as_found(tree / "none")
