"""What the program loads before it has something to do, its help, and names that are not commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bgce_migrate.commands import COMMANDS
from tests.cli.program import REPOSITORY, bgce, environment

HEAVY = ("psycopg", "postgast", "rich", "docker", "sqlfluff", "git", "pluggy", "asyncio")
NAMES = [name for group in COMMANDS.values() for name in group]

PROBE = """
import json, sys
from bgce_migrate.cli import execute
code = execute(sys.argv[1:])
sys.stdout.flush()
print("LOADED" + json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


#: Imports each module named in a process that has none of ours; those of others are there already.
ALONE = """
import importlib, os, sys
import click, msgspec, postgast, psycopg, rich.console
for name in sys.argv[1:]:
    if (pid := os.fork()) == 0:
        importlib.import_module(name)
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        print(name)
"""


def test_every_command_begins_with_whatever_module_it_begins() -> None:
    """The other tests run commands where everything is loaded: a circle among our modules would not show there."""
    engine = REPOSITORY / "bgce_migrate"
    files = [path for path in (*engine.glob("*.py"), *engine.glob("commands/*.py")) if not path.stem.startswith("__")]
    names = [".".join(path.relative_to(REPOSITORY).with_suffix("").parts) for path in files]
    done = subprocess.run([sys.executable, "-c", ALONE, *names], capture_output=True, text=True, env=environment(), check=True)
    assert len(names) > 60 and done.stdout.split() == [], done.stderr


def loaded(*arguments: str, **env: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, env=environment(env), check=True
    )
    modules = json.loads(done.stderr.split("LOADED", 1)[1])
    return {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize(
    "arguments", [("--help",), ("-h",), ("--version",), ("-version",), (), ("nope",), *((n, "--help") for n in NAMES)],
    ids=" ".join,
)  # fmt: skip
def test_nothing_heavy_is_loaded_before_there_is_work(arguments: tuple[str, ...]) -> None:
    assert loaded(*arguments) & set(HEAVY) == set()


def test_completion_loads_nothing_heavy_and_knows_the_commands() -> None:
    env = {"COMP_WORDS": "bgce-migrate st", "COMP_CWORD": "1", "_BGCE_MIGRATE_COMPLETE": "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, env=environment(env), check=False
    )
    assert "status" in done.stdout
    assert not set(HEAVY) & set(done.stderr.split())


def test_help_lists_every_command_and_no_other(tmp_path: Path) -> None:
    answer = bgce("--help", cwd=tmp_path)
    assert answer.code == 0
    listed = [line.split()[0] for line in answer.out.splitlines() if line.startswith("  ") and line[2].isalpha()]
    assert [name for name in listed if name in NAMES] == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_command_explains_itself(name: str, tmp_path: Path) -> None:
    for flag in ("--help", "-h"):
        answer = bgce(name, flag, cwd=tmp_path)
        assert (answer.code, answer.err) == (0, "")
        assert answer.out.startswith(f"Usage: bgce-migrate {name}")


@pytest.mark.parametrize(("word", "hint"), [("statu", "did you mean status?"), ("zzz", "--help lists")])
def test_a_word_that_is_no_command(word: str, hint: str, tmp_path: Path) -> None:
    answer = bgce(word, cwd=tmp_path)
    assert answer.code == 2
    assert answer.err.splitlines()[0] == f"error: there is no command '{word}'"
    assert hint in answer.err


@pytest.mark.parametrize("flag", ["--dom", "--allow-unlock", "--js", "--databas"])
def test_options_are_not_abbreviated(flag: str, shop: Path) -> None:
    answer = bgce("up", flag, "x", cwd=shop)
    assert answer.code == 2
    assert "no such option" in answer.err
