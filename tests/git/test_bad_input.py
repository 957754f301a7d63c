"""Files, folders and repositories nobody wished for: lint, check and the git hook say what is true and go on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.program import SHOP
from tests.git.repos import Site, empty, pair

TAGS = "CREATE TABLE tags (id bigint PRIMARY KEY);\n"
USES = pair("postal", 2, "tag", "ALTER TABLE posts ADD COLUMN tag bigint REFERENCES tags (id);\n", "ALTER TABLE posts DROP COLUMN tag;\n")
#: What would be said of files that are gone or were changed: none of these tests takes one away.
ABSENT = {"git-deleted", "git-renamed", "lock-removed", "lock-renumbered", "lock-edited", "no-down", "missing-version"}
HOSTILE = ["a\nb", "a\r\x1b[31mb", "a\tb", "x\x85y", os.fsdecode(b"\xff\xfe")]


def found(site: Site, *words: str) -> dict[str, list[str]]:
    """Messages by rule, of all findings of the project."""
    answer = site.bgce("lint", "--no-style", "--format", "json", *words)
    assert answer.code in (0, 1), answer.err
    rules: dict[str, list[str]] = {}
    for finding in json.loads(answer.out)["findings"]:
        rules.setdefault(finding["rule"], []).append(f"{finding['file']}: {finding['message']}")
    return rules


def each_front(site: Site) -> list[tuple[int, str]]:
    """What the commands behind the hooks answer to everything staged; none may end in a traceback."""
    site.git("add", "-A")
    return [(a.code, a.out + a.err) for a in (site.bgce("lint"), site.bgce("check"), site.bgce("lock"), site.bgce("hook", "run"))]


@pytest.mark.parametrize("slug", HOSTILE)
def test_a_name_with_control_characters_leaves_out_its_own_migration(site: Site, slug: str) -> None:
    site.git("checkout", "-q", "-b", "feature")
    site.write({**pair("cortex", 3, slug, TAGS, "DROP TABLE tags;\n"), **USES})
    rules = found(site)
    assert len(rules["unreadable-file"]) == 2 and "control character" in rules["unreadable-file"][0]
    assert not ABSENT & rules.keys()
    # Who makes `tags` is not known here, so nothing is said of it.
    assert "unknown-name" not in rules
    for code, said in each_front(site)[1:]:
        assert code in (1, 2) and "control character" in said and "\x1b" not in said


def test_a_lock_line_of_a_file_that_got_a_bad_name(site: Site) -> None:
    folder = site.root / "migrations/cortex"
    for side in ("up", "down"):
        (folder / f"000002_add_bio.{side}.sql").rename(folder / f"000002_add\nbio.{side}.sql")
    rules = found(site)
    assert set(rules) == {"unreadable-file"}


@pytest.mark.parametrize("side", ["up", "down"])
@pytest.mark.parametrize("raw", [os.urandom(50) + b"\0\xff", b"\x7fELF\0" * 400, b"\xff\xfeS\0E\0"], ids=["random", "elf", "utf16"])
def test_a_binary_file_named_sql(site: Site, side: str, raw: bytes) -> None:
    name = f"migrations/cortex/000002_add_bio.{side}.sql"
    site.git("checkout", "-q", "-b", "feature")
    site.write({name: raw, **pair("cortex", 3, "x", raw.hex() + ";\n")})
    rules = found(site)
    assert all(message.startswith(name) for message in rules["unreadable-file"])
    assert not ABSENT & rules.keys() and "syntax" in rules
    assert all(code in (1, 2) for code, _ in each_front(site))


@pytest.mark.parametrize("name", ["migrations/cortex/000003_big.up.sql", "migrations/cortex/000002_add_bio.up.sql"])
def test_twenty_megabytes(site: Site, name: str) -> None:
    site.write({**pair("cortex", 3, "big", "SELECT 1;\n"), name: b"SELECT 1;\n" * 2_000_000})
    rules = found(site)
    assert "16 MiB" in rules["unreadable-file"][0] and not ABSENT & rules.keys()
    assert all(code in (1, 2) and "16 MiB" in said for code, said in each_front(site))


def test_ten_thousand_findings_are_all_told_and_quickly(site: Site) -> None:
    site.write(pair("postal", 2, "many", "".join(f"ALTER TABLE posts ADD COLUMN c{n} json;\n" for n in range(10_000))))
    assert len(found(site)["json-column"]) == 10_000
    for form in ("terminal", "gcc", "github", "sarif"):
        answer = site.bgce("lint", "--no-style", "--format", form)
        assert answer.code == 0 and answer.out.count("json-column") >= 10_000


@pytest.mark.parametrize("file", ["bgce.toml", "migrations/cortex/domain.toml"])
@pytest.mark.parametrize("raw", [b"name = ", b"[[[", b"\xff\xfe\0", b"name = 7\n", b"x = {}\n" * 100_000], ids=range(5))
def test_broken_toml(site: Site, file: str, raw: bytes) -> None:
    site.write({file: raw})
    for code, said in each_front(site)[:3]:
        assert code == 2 and file in said and len(said) < 20_000, said[:2000]


def test_broken_toml_of_one_domain_is_said_in_every_format(site: Site) -> None:
    site.write({"migrations/cortex/domain.toml": "name = \n"})
    for form in ("terminal", "json", "github", "sarif", "gcc"):
        answer = site.bgce("lint", "--format", form)
        assert answer.code == 2 and "migrations/cortex/domain.toml" in answer.out, form


def test_a_detached_head(site: Site) -> None:
    site.git("checkout", "-q", "--detach")
    site.commit("tag", pair("postal", 2, "tag", "ALTER TABLE posts ADD COLUMN tag json;\n"))
    assert "json-column" in found(site)
    site.git("branch", "-q", "-D", "main")
    rules = found(site)
    # Without a target branch the lock file says what is new.
    assert "json-column" in rules and "the head is detached" in rules["git-no-base"][0]
    assert "--base REF" in site.bgce("lint", "--changed").err


def test_no_commits_yet(tmp_path: Path) -> None:
    site = empty(tmp_path / "new")
    site.write({**SHOP, **{k: v for k, v in USES.items() if v is not None}})
    rules = found(site)
    assert "there are no commits yet" in rules["git-no-base"][0] and "foreign-key-without-index" in rules
    codes = [code for code, _ in each_front(site)]
    assert codes[2] == 0 and 70 not in codes


def test_a_submodule(site: Site, tmp_path: Path) -> None:
    outer = empty(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(site.root), "database")
    outer.commit("outer")
    inner = Site(outer.root / "database")
    inner.write({"migrations/cortex/000002_add_bio.up.sql": "ALTER TABLE users ADD COLUMN bio varchar(9);\n"})
    assert set(found(inner)) == {"git-edited", "lock-edited"}
    # From outside there is no project above; the folder can be named.
    answer = outer.bgce("lint")
    assert answer.code == 2 and "there is no bgce.toml" in answer.err
    answer = outer.bgce("lint", "--config", "database/bgce.toml", "--format", "gcc", "--no-style")
    assert answer.code == 1 and "git-edited" in answer.out
    # A submodule where a domain's folder should be, without its files.
    outer.write({"bgce.toml": '[project]\nname = "o"\ndomains = ["empty"]\n'})
    (outer.root / "empty").mkdir()
    answer = outer.bgce("lint")
    assert answer.code == 2 and "empty" in answer.out + answer.err


def test_a_folder_that_cannot_be_listed_says_nothing_false(site: Site) -> None:
    folder = site.root / "migrations/cortex"
    for number in range(3):
        (folder / f"00000{number + 4}_loop.up.sql").symlink_to(f"00000{number + 4}_loop.up.sql")
    rules = found(site)
    assert len(rules["unreadable-file"]) == 3 and not (ABSENT - {"missing-version"}) & rules.keys()
