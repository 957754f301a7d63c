"""`lint` and `explain` as users start them: formats, choices of files, fixes, exit codes, hostile input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import PLAIN, REPOSITORY, bgce, write

NEW = "migrations/postal/000002_change.up.sql"
DOWN = "migrations/postal/000002_change.down.sql"


@pytest.fixture
def changed(shop: Path) -> Path:
    """The shop, locked, with one more migration that does something bad and something fixable."""
    assert bgce("lock", cwd=shop).code == 0
    return write(
        shop,
        {
            NEW: "-- a comment\nALTER TABLE posts ADD COLUMN z json;\nUPDATE users SET email = 'x' WHERE id = 1;\n",
            DOWN: "ALTER TABLE posts DROP COLUMN z;\n",
        },
    )


def lint(*arguments: str | Path, cwd: Path, answers: str = "", env: dict[str, str] | None = None) -> tuple[int, str, str]:
    done = bgce("lint", "--no-style", *arguments, cwd=cwd, answers=answers, env=env)
    return done.code, done.out, done.err


def findings(*arguments: str | Path, cwd: Path) -> list[dict[str, object]]:
    done = bgce("lint", "--no-style", "--format", "json", *arguments, cwd=cwd)
    assert done.code in (0, 1), done.err
    assert done.document["schema"] == "bgce-migrate/lint/1"
    found = done.document["findings"]
    assert isinstance(found, list)
    return found


def test_terminal(changed: Path) -> None:
    code, out, err = lint(cwd=changed)
    assert (code, err) == (1, "")
    assert f"{NEW}:3:8: error: postal updates users, a table of domain cortex [foreign-write]\n" in out
    assert "  3 | UPDATE users SET email = 'x' WHERE id = 1;\n    |        ^^^^^\n  hint: " in out
    assert "\x1b" not in out
    assert out.splitlines()[-2].startswith("1 error, ") and "1 of 4 migrations judged" in out
    assert out.splitlines()[-1] == "1 can be fixed: bgce-migrate lint --fix"


def test_json_has_what_is_promised(changed: Path) -> None:
    found = findings(cwd=changed)
    for finding in found:
        assert {"rule", "severity", "file", "line", "column", "domain", "message", "hint", "fixable"} == set(finding)
    (bad,) = [f for f in found if f["rule"] == "foreign-write"]
    assert (bad["severity"], bad["file"], bad["line"], bad["column"], bad["domain"]) == ("error", NEW, 3, 8, "postal")
    assert [f["rule"] for f in found if f["fixable"]] == ["json-column"]


def test_gcc(changed: Path) -> None:
    code, out, _ = lint("--format", "gcc", cwd=changed)
    assert code == 1
    assert f"{NEW}:3:8: error: postal updates users, a table of domain cortex [foreign-write]" in out.splitlines()


def test_github_worst_first(changed: Path) -> None:
    _, out, _ = lint("--format", "github", cwd=changed)
    lines = out.splitlines()
    levels = [line.split(" ", 1)[0] for line in lines]
    assert levels == sorted(levels, key=["::error", "::warning", "::notice"].index)
    assert lines[0].startswith(f"::error file={NEW},line=3,col=8,endColumn=13,title=foreign-write::postal updates users")


def test_sarif_is_stable(changed: Path) -> None:
    def prints() -> dict[str, str]:
        _, out, _ = lint("--format", "sarif", cwd=changed)
        log = json.loads(out)
        assert log["version"] == "2.1.0" and len(log["runs"]) == 1
        run = log["runs"][0]
        ids = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        for result in run["results"]:
            assert ids[result["ruleIndex"]] == result["ruleId"] and result["message"]["text"]
            assert result["level"] in ("error", "warning", "note")
        return {r["ruleId"]: r["partialFingerprints"]["bgceMigrate/v1"] for r in run["results"]}

    before = prints()
    file = changed / NEW
    file.write_text("-- more\n\n" + file.read_text().replace("ADD COLUMN z", "ADD  COLUMN\n    z"))
    assert prints() == before
    file.write_text(file.read_text().replace("id = 1", "id = 2"))
    after = prints()
    assert after["foreign-write"] != before["foreign-write"] and after["json-column"] == before["json-column"]


def test_locked_migrations_are_not_reported_unless_asked(changed: Path) -> None:
    (changed / NEW).unlink()
    (changed / DOWN).unlink()
    assert findings(cwd=changed) == []
    write(changed, {"migrations/postal/000001_create_posts.up.sql": "CREATE TABLE posts (id int PRIMARY KEY, author bigint);\n"})
    found = findings(cwd=changed)
    assert {f["rule"] for f in found} == {"lock-edited"}
    assert any(f["rule"] not in ("lock-edited",) for f in findings("--all", cwd=changed))


def test_removed_and_renumbered(changed: Path) -> None:
    folder = changed / "migrations" / "cortex"
    for file in folder.glob("000002_*"):
        file.rename(folder / file.name.replace("000002", "000007"))
    (changed / "migrations/postal/000001_create_posts.up.sql").unlink()
    (changed / "migrations/postal/000001_create_posts.down.sql").unlink()
    found = {f["rule"]: f for f in findings(cwd=changed)}
    assert found["lock-renumbered"]["severity"] == found["lock-removed"]["severity"] == "error"
    assert "cortex/000007" in str(found["lock-renumbered"]["message"])


def test_duplicate_and_missing_versions(changed: Path) -> None:
    write(changed, {"migrations/postal/000002_other.up.sql": "SELECT 1;", "migrations/cortex/000009_x.down.sql": "SELECT 1;"})
    found = findings(cwd=changed)
    assert {"duplicate-version", "missing-version"} <= {f["rule"] for f in found}


def test_order(changed: Path) -> None:
    write(
        changed,
        {
            NEW: "ALTER TABLE later ADD COLUMN z text;\n",
            "migrations/postal/000003_later.up.sql": "CREATE TABLE later (id bigint PRIMARY KEY);\n",
            "migrations/postal/000003_later.down.sql": "DROP TABLE later;\n",
        },
    )
    rules = {f["rule"]: f for f in findings(cwd=changed)}
    assert rules["reference-to-later"]["severity"] == "error" and rules["undeclared-table"]["severity"] == "warning"
    assert rules["undeclared-table"]["hint"] == "write [tables.later] into the domain.toml of postal"


def test_circle_between_domains(changed: Path) -> None:
    write(
        changed,
        {
            "migrations/cortex/domain.toml": 'name = "cortex"\n[tables.users]\n[tables.groups]\n',
            "migrations/cortex/000003_groups.up.sql": "-- bgce: requires postal/2\nCREATE TABLE groups (id bigint PRIMARY KEY);\n",
            "migrations/cortex/000003_groups.down.sql": "DROP TABLE groups;\n",
            NEW: "ALTER TABLE posts ADD COLUMN g bigint REFERENCES groups (id);\n",
        },
    )
    assert "order-cycle" in {f["rule"] for f in findings(cwd=changed)}


def test_table_of_another_domain(changed: Path) -> None:
    write(changed, {"migrations/cortex/domain.toml": 'name = "cortex"\n[tables.users]\n[tables.extra]\n',
                    NEW: "CREATE TABLE extra (id bigint PRIMARY KEY);\n", DOWN: "DROP TABLE extra;\n"})
    (found,) = [f for f in findings(cwd=changed) if f["rule"] == "foreign-table"]
    assert found["severity"] == "error" and "domain cortex" in str(found["message"])


def test_down_files_are_judged(changed: Path) -> None:
    write(changed, {NEW: "ALTER TABLE posts ADD COLUMN z text;\n", DOWN: "DROP TABLE users;\n"})
    (found,) = [f for f in findings(cwd=changed) if f["rule"] == "foreign-change"]
    assert found["file"] == DOWN


def test_files_restrict_what_is_shown(changed: Path) -> None:
    write(changed, {"migrations/cortex/000003_x.up.sql": "UPDATE posts SET author = 1;\n"})
    both = {f["file"] for f in findings(cwd=changed)}
    assert len(both) == 2
    assert {f["file"] for f in findings(NEW, cwd=changed)} == {NEW}
    assert {f["file"] for f in findings(changed / NEW, cwd=changed)} == {NEW}
    assert {f["file"] for f in findings("migrations/cortex", cwd=changed)} == {"migrations/cortex/000003_x.up.sql"}
    (changed / "other.sql").write_text("not sql at all")
    assert findings("other.sql", cwd=changed) == []
    code, _, err = lint("gone.sql", cwd=changed)
    assert code == 2 and "there is no file gone.sql" in err


def test_fail_on_and_severities(changed: Path) -> None:
    (changed / NEW).write_text("ALTER TABLE posts ADD COLUMN z json;\n")
    assert lint(cwd=changed)[0] == 0
    assert lint("--fail-on", "warning", cwd=changed)[0] == 1
    toml = changed / "bgce.toml"
    toml.write_text(toml.read_text() + '[lint]\nfail_on = "warning"\n')
    assert lint(cwd=changed)[0] == 1
    toml.write_text(toml.read_text() + 'severity = { json-column = "error", not-locked = "off" }\n')
    found = {f["rule"]: f["severity"] for f in findings(cwd=changed)}
    assert found["json-column"] == "error" and "not-locked" not in found
    toml.write_text(toml.read_text() + 'severity2 = 1\ntarget = 9\n')
    code, out, _ = lint(cwd=changed)
    assert code == 2 and "unknown key" in out and "9 is not a supported major version" in out


def test_waivers(changed: Path) -> None:
    directive = '-- bgce: allow foreign-write until 2999-01-01 reason="agreed with cortex"\n'
    file = changed / NEW
    text = file.read_text()
    file.write_text(directive + text)
    assert "foreign-write" not in {f["rule"] for f in findings(cwd=changed)}
    file.write_text(directive.replace("2999", "2001") + text)
    assert {"foreign-write", "allow-expired"} <= {f["rule"] for f in findings(cwd=changed)}
    file.write_text(directive.replace("foreign-write", "foreign-body") + text)
    assert {"foreign-write", "allow-unused"} <= {f["rule"] for f in findings(cwd=changed)}


def test_fix_rewrites_new_files_only(changed: Path) -> None:
    locked = changed / "migrations/postal/000001_create_posts.up.sql"
    file = changed / NEW
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    before = locked.read_bytes()
    code, out, err = lint("--fix", "--all", cwd=changed)
    assert code == 1
    assert "-ALTER TABLE posts ADD COLUMN z json;" in out and "+ALTER TABLE posts ADD COLUMN z jsonb;" in out
    assert f"fixed {NEW}: json-column" in err
    assert file.read_bytes().startswith(b"\xef\xbb\xbf-- a comment\r\nALTER TABLE posts ADD COLUMN z jsonb;\r\n")
    assert locked.read_bytes() == before
    again = file.read_bytes()
    lint("--fix", cwd=changed)
    assert file.read_bytes() == again


def test_standard_input(changed: Path) -> None:
    name = "migrations/postal/000003_typed.up.sql"
    code, out, _ = lint("--format", "gcc", "--stdin-filename", name, cwd=changed, answers="DROP TABLE users;\n")
    assert code == 1 and f"{name}:1:12: error: postal drops table users" in out
    assert NEW not in out and not (changed / name).exists()
    code, out, _ = lint("--format", "gcc", "--stdin-filename", NEW, cwd=changed, answers="SELECT 1;\n")
    assert code == 0 and "foreign-write" not in out
    code, _, err = lint("--stdin-filename", "elsewhere.sql", cwd=changed, answers="SELECT 1;")
    assert code == 2 and "is no migration of this project" in err


def test_plain_folders_get_safety_rules_only(plain: Path) -> None:
    write(plain / "db", {"4_type.up.sql": "ALTER TABLE users ALTER COLUMN id TYPE integer;\n"})
    done = bgce("lint", "--no-style", "--format", "json", "--migrations", "db", cwd=plain)
    assert done.code in (0, 1), done.err
    rules = {f["rule"] for f in done.document["findings"]}
    assert "column-type-rewrite" in rules or rules
    assert not rules & {"foreign-change", "undeclared-table", "not-locked"}
    assert len(PLAIN) == 6


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        (NEW, b"\x00\x01\xff\xfe", "unreadable-file"),
        (NEW, b"SELECT 'x", "syntax"),
        (NEW, b"SELEC 1;", "syntax"),
        (NEW, b"BEGIN; SELECT 1; COMMIT; SELECT 2;", "transaction-control"),
        (NEW, b"COPY posts FROM STDIN;", "refused-sql"),
        (NEW, b"-- only a comment\n", "refused-sql"),
        (NEW, b"SELECT " + b"(" * 20_000, "syntax"),
    ],
)
def test_broken_files_are_findings(changed: Path, name: str, text: bytes, rule: str) -> None:
    write(changed, {name: text})
    found = findings(cwd=changed)
    assert rule in {f["rule"] for f in found}, found


def test_huge_file(changed: Path) -> None:
    (changed / NEW).write_bytes(b"SELECT 1;\n" * 2_100_000)
    assert "unreadable-file" in {f["rule"] for f in findings(cwd=changed)}


def test_broken_toml(changed: Path) -> None:
    (changed / "migrations/postal/domain.toml").write_text("name = ")
    code, out, err = lint("--format", "gcc", cwd=changed)
    assert code == 2 and "[declaration]" in out and "domain.toml" in out, err


def test_two_owners(changed: Path) -> None:
    with (changed / "migrations/postal/domain.toml").open("a") as file:
        file.write("[tables.users]\n")
    code, out, _ = lint("--format", "gcc", cwd=changed)
    assert code == 2 and "[two-owners]" in out


def test_hostile_names_and_messages_stay_inert(changed: Path) -> None:
    folder = changed / "migrations" / "::error file=x::y"
    write(folder, {"domain.toml": 'name = "evil"\n', "000001_a%0A::error::b,c.up.sql": 'DROP TABLE users; CREATE TABLE "\x1b[31m::error::\n##[error]" (id int);\n'})
    toml = changed / "bgce.toml"
    toml.write_text(toml.read_text().replace('"migrations/postal"', '"migrations/postal", "migrations/*"'))
    for form in ("terminal", "gcc", "github", "sarif", "json"):
        code, out, _ = lint("--format", form, cwd=changed)
        assert code == 1, out
        assert "\x1b" not in out and ("##[error]" not in out or form in ("sarif", "json"))
        commands = [line for line in out.splitlines() if line.lstrip().startswith("::")]
        if form == "github":
            assert len(commands) == len(out.splitlines())
            assert all(c.split(" ", 1)[0] in ("::error", "::warning", "::notice") for c in commands)
            assert not [c for c in commands if "file=" in c and "::" in c.split("file=", 1)[1].split(",", 1)[0]]
        else:
            assert commands == []


def test_ten_thousand_findings(changed: Path) -> None:
    columns = "".join(f"ALTER TABLE posts ADD COLUMN c{n} json;\n" for n in range(10_000))
    (changed / NEW).write_text(columns)
    for form in ("terminal", "github", "sarif"):
        _, out, _ = lint("--format", form, cwd=changed)
        assert out.count("json-column") >= 10_000


def test_result_is_kept_and_judged_anew_when_anything_changes(changed: Path) -> None:
    first = lint("--format", "gcc", cwd=changed)
    assert list((changed / ".bgce/cache/facts").glob("run-*"))
    assert lint("--format", "gcc", cwd=changed) == first
    with (changed / "migrations/postal/domain.toml").open("a") as file:
        file.write("[tables.more]\n")
    (changed / NEW).write_text("SELECT 1;\n")
    assert "foreign-write" not in lint("--format", "gcc", cwd=changed)[1]
    for entry in (changed / ".bgce/cache/facts").iterdir():
        entry.write_bytes(b"broken")
    assert "foreign-write" not in lint("--format", "gcc", cwd=changed)[1]


def test_warm_run_does_not_load_the_parser(changed: Path) -> None:
    lint(cwd=changed)
    script = (
        "import sys; from bgce_migrate.cli import execute; execute(['lint', '--no-style']);"
        "heavy = {'postgast', 'psycopg', 'sqlfluff', 'rich'} & set(sys.modules); print(heavy, file=sys.stderr)"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", script], cwd=changed, env=environment, capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "set()"


def test_two_processes_say_what_one_says(changed: Path) -> None:
    for number in range(3, 90):
        write(changed, {f"migrations/postal/{number:06d}_x.up.sql": f"UPDATE users SET id = {number};\nALTER TABLE posts ADD COLUMN c{number} json;\n",
                        f"migrations/postal/{number:06d}_x.down.sql": f"ALTER TABLE posts DROP COLUMN c{number};\n"})
    script = (
        "import sys; from pathlib import Path; from bgce_migrate.linting import load, lint, Request;"
        "a, b = (lint(load(Path('.')), Request(cache=False, jobs=n)).findings for n in (1, 2));"
        "assert a == b and len(a) > 170, len(a)"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    subprocess.run([sys.executable, "-c", script], cwd=changed, env=environment, check=True)


def test_explain(shop: Path) -> None:
    done = bgce("explain", "foreign-write", cwd=shop)
    assert done.code == 0 and done.out.startswith("foreign-write (X02), error, ownership: ")
    assert bgce("explain", "x02", cwd=shop).out == done.out
    wrong = bgce("explain", "foreign-rite", cwd=shop)
    assert wrong.code == 2 and "did you mean 'foreign-write'?" in wrong.err
    listed = bgce("explain", "--json", cwd=shop).document["rules"]
    assert len(listed) >= 100 and all(rule["title"] and rule["text"] for rule in listed)
    assert len({rule["rule"] for rule in listed}) == len(listed)


def git(*arguments: str, cwd: Path) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *identity, *arguments], cwd=cwd, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture
def branch(changed: Path) -> Path:
    """The shop on main without the change, and a branch that holds it."""
    (changed / ".gitignore").write_text(".bgce/\n")
    text = {name: (changed / name).read_text() for name in (NEW, DOWN)}
    for name in text:
        (changed / name).unlink()
    git("init", cwd=changed)
    git("add", ".", cwd=changed)
    git("commit", "-m", "start", cwd=changed)
    git("checkout", "-b", "feature", cwd=changed)
    write(changed, text)
    git("add", ".", cwd=changed)
    git("commit", "-m", "change", cwd=changed)
    return changed


def test_judges_what_is_not_on_the_target_branch(branch: Path) -> None:
    assert "foreign-write" in {f["rule"] for f in findings(cwd=branch)}
    assert bgce("lock", cwd=branch).code == 0
    assert "foreign-write" in {f["rule"] for f in findings(cwd=branch)}, "locked here, and new on the target branch"
    git("add", ".", cwd=branch)
    git("commit", "-m", "lock", cwd=branch)
    assert findings("--base", "HEAD", cwd=branch) == []
    assert "foreign-write" in {f["rule"] for f in findings("--base", "main", cwd=branch)}
    code, _, err = lint("--base", "nowhere", cwd=branch)
    assert code == 2 and "nowhere" in err


def test_git_findings_and_changed(branch: Path) -> None:
    old = "migrations/cortex/000002_add_bio.up.sql"
    write(branch, {old: "ALTER TABLE users ADD COLUMN bio varchar(10);\n"})
    (branch / "migrations/postal/000001_create_posts.down.sql").unlink()
    found = findings("--changed", cwd=branch)
    assert {"git-edited", "git-deleted", "foreign-write"} <= {f["rule"] for f in found}
    git("checkout", "--", ".", cwd=branch)
    assert {f["file"] for f in findings("--changed", cwd=branch)} == {NEW}


def test_changed_without_git_says_so(changed: Path) -> None:
    code, _, err = lint("--changed", cwd=changed)
    assert code == 2 and "in no git repository" in err


def test_no_commits_yet_and_detached_head(branch: Path, changed: Path) -> None:
    git("checkout", "--detach", cwd=branch)
    assert "foreign-write" in {f["rule"] for f in findings(cwd=branch)}
    git("checkout", "--orphan", "empty", cwd=branch)
    rules = {f["rule"] for f in findings(cwd=branch)}
    assert "foreign-write" in rules
