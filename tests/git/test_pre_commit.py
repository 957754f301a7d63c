"""The hooks under the real pre-commit: a good commit passes, each kind of bad one is stopped and says why."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.git.precommit import HOOKS, ROOT, configuration, deliver, run
from tests.git.repos import Site, pair

pytest.importorskip("pre_commit", reason="needs pre-commit")
# One environment for all of them: it takes longer to make than all tests take.
pytestmark = pytest.mark.xdist_group("pre-commit")

BIO = "migrations/cortex/000002_add_bio.up.sql"
BIO_DOWN = "migrations/cortex/000002_add_bio.down.sql"
AGE = pair("cortex", 3, "add_age", "ALTER TABLE users ADD COLUMN age int;\n", "ALTER TABLE users DROP COLUMN age;\n")
CITY = pair("cortex", 3, "add_city", "ALTER TABLE users ADD COLUMN city text;\n", "ALTER TABLE users DROP COLUMN city;\n")


@pytest.fixture(scope="session")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return deliver(tmp_path_factory.mktemp("hooks") / "bgce-migrate")


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pre-commit-home")


@pytest.fixture
def guarded(site: Site, hooks: Site, home: Path) -> Site:
    """On a branch of the shop, with pre-commit's hook installed."""
    site.commit("hooks", {".pre-commit-config.yaml": configuration(hooks)})
    done = run(site, "install", home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    site.git("checkout", "-q", "-b", "feature")
    return site


def commit(site: Site, home: Path) -> tuple[int, str]:
    site.git("add", "-A")
    done = run(site, "git", "commit", "-m", "x", home=home)
    return done.returncode, done.stdout + done.stderr


def test_the_manifest_is_valid(site: Site, tmp_path: Path) -> None:
    done = run(site, "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml"), home=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_good_commit_passes(guarded: Site, home: Path) -> None:
    guarded.write(AGE)
    guarded.lock()
    code, said = commit(guarded, home)
    assert code == 0, said
    assert said.count("Passed") == len(HOOKS), said


def test_what_is_not_recorded_is_recorded_and_committed_the_second_time(guarded: Site, home: Path) -> None:
    guarded.write(AGE)
    code, said = commit(guarded, home)
    assert code != 0 and "git add bgce.lock, then commit again" in said, said
    code, said = commit(guarded, home)
    assert code == 0, said


BAD: dict[str, tuple[dict[str, str | bytes | None], str]] = {
    "edited": (
        {BIO: "ALTER TABLE users ADD COLUMN bio varchar(80);\n"},
        "cortex/000002_add_bio is on main",
    ),
    "deleted": ({BIO: None, BIO_DOWN: None}, "was deleted"),
    "renamed": (
        {
            BIO: None, BIO_DOWN: None,
            BIO.replace("add_bio", "bio"): "ALTER TABLE users ADD COLUMN bio text;\n",
            BIO_DOWN.replace("add_bio", "bio"): "ALTER TABLE users DROP COLUMN bio;\n",
        },
        "was renamed",
    ),
    "two of one number": ({**AGE, **CITY}, "hint: bgce-migrate renumber cortex"),
    "undeclared dependency": (
        pair("cortex", 3, "likes", "CREATE TABLE likes (post bigint REFERENCES posts (id));\n", "DROP TABLE likes;\n"),
        "postal",
    ),
    "no SQL": (pair("cortex", 3, "typo", "ALTER TABEL users;\n"), "migrations/cortex/000003_typo.up.sql:1:7"),
    "no down": ({"migrations/cortex/000003_x.up.sql": "SELECT 1;\n"}, "000003_x"),
    "broken declaration": ({"migrations/cortex/domain.toml": "name = \n"}, "migrations/cortex/domain.toml:1"),
    "hazard": (
        pair("cortex", 3, "number", "ALTER TABLE users ADD COLUMN number bigserial;\n", "ALTER TABLE users DROP COLUMN number;\n"),
        "[add-column-serial]",
    ),
}  # fmt: skip
#: The kinds that need git; `test_check` sees the others without pre-commit around them.
QUICK = ("edited", "deleted", "two of one number", "hazard")


@pytest.mark.parametrize("kind", [k if k in QUICK else pytest.param(k, marks=pytest.mark.slow) for k in BAD])
def test_a_bad_commit_is_stopped(guarded: Site, home: Path, kind: str) -> None:
    files, message = BAD[kind]
    before = guarded.git("rev-parse", "HEAD")
    guarded.write(files)
    code, said = commit(guarded, home)
    assert code != 0, said
    assert message in said, said
    assert "Traceback" not in said
    assert guarded.git("rev-parse", "HEAD") == before


@pytest.mark.slow
def test_lines_of_the_lock_file_that_were_moved(guarded: Site, home: Path) -> None:
    lines = (guarded.root / "bgce.lock").read_text().splitlines(keepends=True)
    guarded.write({"bgce.lock": "".join([*lines[:2], *reversed(lines[2:])])})
    code, said = commit(guarded, home)
    assert code != 0 and "it is the other way round" in said, said


def test_a_number_that_main_took_is_stopped(guarded: Site, home: Path) -> None:
    guarded.git("checkout", "-q", "main")
    guarded.write(CITY)
    guarded.lock()
    guarded.git("add", "-A")
    guarded.git("commit", "-q", "--no-verify", "-m", "theirs")
    guarded.git("checkout", "-q", "feature")
    guarded.write(AGE)
    guarded.lock()
    code, said = commit(guarded, home)
    assert code != 0 and "cortex/000003 is taken: main" in said and "bgce-migrate renumber cortex" in said, said


def try_repo(site: Site, hooks: Site, home: Path, hook: str) -> tuple[int, str]:
    site.git("add", "-A")
    done = run(site, "try-repo", str(hooks.root), hook, "--all-files", "--verbose", home=home)
    return done.returncode, done.stdout + done.stderr


def test_try_repo_passes_a_good_repository(site: Site, hooks: Site, home: Path) -> None:
    site.git("checkout", "-q", "-b", "feature")
    site.write(AGE)
    site.lock()
    site.git("add", "-A")
    done = run(site, "try-repo", str(hooks.root), "--all-files", "--verbose", home=home)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert said.count("Passed") == 3, said
    assert "bgce-migrate check" in said and "are in order, compared with main" in said, said


@pytest.mark.slow
@pytest.mark.parametrize("kind", BAD)
def test_try_repo_stops_a_bad_repository(site: Site, hooks: Site, home: Path, kind: str) -> None:
    files, message = BAD[kind]
    site.git("checkout", "-q", "-b", "feature")
    site.write(files)
    code, said = try_repo(site, hooks, home, "bgce-lint" if kind == "hazard" else "bgce-check")
    assert code != 0 and message in said, said


@pytest.mark.slow
def test_try_repo_records_what_is_new(site: Site, hooks: Site, home: Path) -> None:
    site.write(AGE)
    code, said = try_repo(site, hooks, home, "bgce-lock")
    assert code != 0 and "then commit again" in said, said
    code, said = try_repo(site, hooks, home, "bgce-lock")
    assert code == 0, said


def test_nothing_of_the_manifest_is_forgotten() -> None:
    text = (ROOT / ".pre-commit-hooks.yaml").read_text()
    for name in ("bgce-lint", "bgce-check", "bgce-lock"):
        assert f"- id: {name}\n" in text
    assert shutil.which("git")
