"""sqlfluff on single files: what is said, what is kept, and what never blocks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest

from bgce_migrate.migration import Finding, Severity, SourceFile
from bgce_migrate.sqlfile import read_source
from bgce_migrate.style import check_style
from bgce_migrate.style.results import quiet

ROOT = Path(__file__).resolve().parents[2]


def source(folder: Path, name: str, text: str) -> SourceFile:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return read_source(str(path), path.read_bytes())


def said(folder: Path, text: str, *, cache: bool = False) -> tuple[Finding, ...]:
    return check_style([source(folder, "m/000001_a.up.sql", text)], folder, cache=cache)


def codes(findings: tuple[Finding, ...]) -> list[str]:
    return [f.rule for f in findings]


def test_findings_have_their_place_and_never_the_weight_of_an_error(tmp_path: Path) -> None:
    found = said(tmp_path, "CREATE TABLE a (id bigint);\ncreate TABLE b (id bigint);\n")
    assert codes(found) == ["style-CP01"]
    assert found[0].severity is Severity.WARNING
    assert found[0].where is not None and (found[0].where.line, found[0].where.column) == (2, 1)
    assert found[0].hint and "noqa: CP01" in found[0].hint


@pytest.mark.parametrize(
    "text,rule",
    [
        ("CREATE TABLE a (id bigint) ;\n", "style-LT01"),
        ("CREATE TABLE a (id bigint);", "style-LT12"),
        ("SELECT id FROM a AS b, c d WHERE b.id = d.id;\n", "style-AL01"),
    ],
)
def test_layout_and_aliases(tmp_path: Path, text: str, rule: str) -> None:
    assert rule in codes(said(tmp_path, text))


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE a ADD CONSTRAINT b NOT NULL c NOT VALID;\n",
        "create TABLE t (a int);\nSELECT * FROM t GRAPH_IS_FINE;\nMERGE INTO t USING s ON t.a = s.a WHEN NOT MATCHED BY SOURCE THEN DELETE;\n",
    ],
)
def test_what_postgresql_accepts_is_at_most_not_checked(tmp_path: Path, text: str) -> None:
    found = said(tmp_path, text)
    assert all(f.severity is not Severity.ERROR for f in found)
    assert codes(found) == ["style-not-checked"] or "style-CP01" in codes(found)


def test_what_nobody_can_read_is_left_to_others(tmp_path: Path) -> None:
    assert said(tmp_path, "this is no SQL at all;\n") == ()


def test_what_our_own_rules_say_better_is_off(tmp_path: Path) -> None:
    (tmp_path / ".sqlfluff").write_text("[sqlfluff]\nrules = all\nexclude_rules = LT01\n")
    found = said(tmp_path, "CREATE INDEX i ON a (b);\nALTER TABLE a ADD FOREIGN KEY (b) REFERENCES c (d);\n")
    assert not {"style-PG01", "style-PG02"} & set(codes(found))
    assert not [c for c in codes(found) if c.startswith("style-BGCE")]


def test_a_standard_configuration_wins_over_our_defaults(tmp_path: Path) -> None:
    text = "create table a (id bigint);\n"
    assert said(tmp_path, text, cache=True) == ()
    (tmp_path / ".sqlfluff").write_text("[sqlfluff:rules:capitalisation.keywords]\ncapitalisation_policy = upper\n")
    assert "style-CP01" in codes(said(tmp_path, text, cache=True))
    (tmp_path / ".sqlfluff").write_text("[sqlfluff]\nexclude_rules = CP01\ndialect = mysql\n")
    assert "style-CP01" not in codes(said(tmp_path, text, cache=True))
    (tmp_path / ".sqlfluff").write_text("[sqlfluff]\nexclude_rules = CP01\nwarnings = CP05\n")
    assert all(f.severity is Severity.NOTE for f in said(tmp_path, "CREATE TABLE a (b bigint, c BIGINT);\n"))


def test_files_that_are_left_out_are_left_out_also_when_named(tmp_path: Path) -> None:
    (tmp_path / ".sqlfluffignore").write_text("m/\n")
    assert said(tmp_path, "create TABLE a (id bigint);\n") == ()


@pytest.mark.parametrize("text", ["[sqlfluff]\nmax_line_length = x\n", "[sqlfluff]\ntemplater = nothing\n", "[[[\n", "\xff\n"])
def test_a_broken_configuration_is_a_note(tmp_path: Path, text: str) -> None:
    (tmp_path / ".sqlfluff").write_text(text, encoding="latin-1")
    found = said(tmp_path, "CREATE TABLE a (id bigint);\n")
    assert {f.severity for f in found} <= {Severity.NOTE}


def test_a_large_file_is_not_checked(tmp_path: Path) -> None:
    found = said(tmp_path, "SELECT 1;\n" * 20_000)
    assert codes(found) == ["style-not-checked"] and "larger than 100000 bytes" in found[0].message


def test_noqa_is_heard(tmp_path: Path) -> None:
    assert said(tmp_path, "CREATE TABLE a (id bigint);\ncreate TABLE b (id bigint);  -- noqa: CP01\n") == ()


# -- the cache ---------------------------------------------------------------------------------------------------


def kept(folder: Path) -> list[Path]:
    return sorted((folder / ".bgce" / "cache" / "style").iterdir())


def test_a_second_look_does_not_load_sqlfluff(tmp_path: Path) -> None:
    source(tmp_path, "a.up.sql", "create TABLE a (id bigint);\n")
    program = (
        "import sys\nfrom pathlib import Path\nfrom bgce_migrate.style import check_style\n"
        "from bgce_migrate.sqlfile import read_source\n"
        "found = check_style([read_source('a.up.sql', Path('a.up.sql').read_bytes())], Path('.'))\n"
        "print(len(found), 'sqlfluff' in sys.modules)\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    answers = [
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert answers == ["1 True\n", "1 False\n"]
    assert (tmp_path / ".bgce" / ".gitignore").read_text() == "*\n"


def test_the_key_covers_contents_and_configuration(tmp_path: Path) -> None:
    said(tmp_path, "SELECT 1;\n", cache=True)
    said(tmp_path, "SELECT 1;\n", cache=True)
    assert len(kept(tmp_path)) == 1
    said(tmp_path, "SELECT 2;\n", cache=True)
    assert len(kept(tmp_path)) == 2


@pytest.mark.parametrize("damage", [b"", b"x" * 100, None])
def test_a_damaged_verdict_is_not_believed(tmp_path: Path, damage: bytes | None) -> None:
    text = "create TABLE a (id bigint);\n"
    before = said(tmp_path, text, cache=True)
    (file,) = kept(tmp_path)
    raw = file.read_bytes()
    # A verdict that says less, as somebody would write it who wants to be rid of it.
    file.write_bytes(damage if damage is not None else raw[:32] + b'{"remarks":[],"fault":"","line":0}')
    assert said(tmp_path, text, cache=True) == before
    assert file.read_bytes() == raw


def test_a_verdict_of_another_file_is_not_believed(tmp_path: Path) -> None:
    good = said(tmp_path, "CREATE TABLE a (id bigint);\n", cache=True)
    (clean,) = kept(tmp_path)
    before = said(tmp_path, "create TABLE a (id bigint);\n", cache=True)
    other = next(f for f in kept(tmp_path) if f != clean)
    other.write_bytes(clean.read_bytes())
    assert good == () and said(tmp_path, "create TABLE a (id bigint);\n", cache=True) == before != ()


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / ".bgce").write_text("a file")
    assert codes(said(tmp_path, "create TABLE a (id bigint);\n", cache=True)) == ["style-CP01"]


def test_two_processes_say_what_one_says(tmp_path: Path) -> None:
    files = [
        source(tmp_path, f"{n}_a.up.sql", "".join(f"{'create' if n % 2 else 'CREATE'} TABLE t{i} (id bigint);\n" for i in range(90)))
        for n in range(4)
    ]
    files[0] = source(tmp_path, "0_a.up.sql", files[1].text + "CREATE TABLE x (id bigint);\n")
    assert check_style(files, tmp_path, jobs=2, cache=False) == check_style(files, tmp_path, jobs=1, cache=False)


def test_our_own_migrations_are_clean(tmp_path: Path) -> None:
    files = [read_source(str(p), p.read_bytes()) for p in sorted((ROOT / "migrations" / "cortex").glob("*.sql"))]
    assert files and check_style(files, tmp_path) == ()


def test_its_processes_end_without_a_word() -> None:
    """A command's handlers of signals are not theirs: a pool ends its workers by SIGTERM, sometimes while they wait."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        with get_context("fork").Pool(1, initializer=quiet) as pool:
            assert pool.apply(signal.getsignal, (signal.SIGTERM,)) is signal.SIG_DFL
            assert pool.apply(signal.getsignal, (signal.SIGINT,)) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_sqlfluff_comes_without_pytest_and_leaves_it_alone(tmp_path: Path) -> None:
    file = source(tmp_path, "m/000001_a.up.sql", "create TABLE a (id bigint);\nCREATE TABLE b (id bigint);\n")
    program = (
        "import sys; from pathlib import Path; from bgce_migrate.sqlfile import read_source; from bgce_migrate.style import check_style;"
        f"path = Path({file.path!r}); found = check_style([read_source(str(path), path.read_bytes())], path.parent, cache=False);"
        "assert found and 'sqlfluff' in sys.modules and 'pytest' not in sys.modules; import pytest; assert pytest.fixture"
    )
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
