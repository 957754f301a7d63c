"""Every option has an environment variable, and stands before or after the command."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import click
import pytest

from bgce_migrate.commands import COMMANDS
from bgce_migrate.commands.options import SHARED
from tests.cli.program import bgce

pytestmark = pytest.mark.postgres(18)


def all_commands() -> dict[str, click.Command]:
    found: dict[str, click.Command] = {}
    for group in COMMANDS.values():
        for name, (place, _) in group.items():
            module, _, function = place.partition(":")
            loaded = getattr(import_module(f"bgce_migrate.commands.{module}"), function)
            if isinstance(loaded, click.Group):
                found |= {f"{name} {inner}": command for inner, command in loaded.commands.items()}
            else:
                found[name] = loaded
    return found


def own_options(command: click.Command) -> list[click.Option]:
    return [
        p for p in command.params
        if isinstance(p, click.Option) and p.name not in SHARED and not p.hidden
    ]  # fmt: skip


@pytest.mark.parametrize("name", all_commands())
def test_every_option_has_a_variable_and_a_help_text(name: str) -> None:
    for option in own_options(all_commands()[name]):
        assert isinstance(option.envvar, str)
        assert option.envvar.startswith("BGCE_"), option.name
        assert option.help, option.name


def test_no_variable_for_one_command_chooses_what_another_undoes() -> None:
    choosing = {"down", "goto", "force", "repair", "drop", "bootstrap"}
    how = {"--jobs", "--lock-wait", "--retry-for", "--lock-timeout", "--statement-timeout", "--report", "--allow-unlocked"}
    for name, command in all_commands().items():
        for option in own_options(command):
            if name in choosing and not how & set(option.opts):
                assert str(option.envvar).startswith(f"BGCE_{name.upper()}_"), option.opts


def test_documents_name_every_command_option_and_variable() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs/reference/commands.md").read_text(encoding="utf-8")
    for name, command in all_commands().items():
        assert f"`{name}" in text, name
        for option in own_options(command):
            for spelling in option.opts:
                assert f"`{spelling}" in text, f"{name} {spelling}"
            assert str(option.envvar) in text, option.envvar
    for row in ("-d", "--database-url", "--migrations", "--config", "--env", "--embedded", "--json", "--no-input", "-v"):
        assert f"`{row}" in text


def test_the_shared_options_as_variables(plain: Path, database: str) -> None:
    env = {"BGCE_DATABASE_URL": database, "BGCE_MIGRATIONS": "db", "BGCE_JSON": "1", "BGCE_JOBS": "2"}
    assert bgce("up", cwd=plain, env=env).document["result"] == "done"
    assert bgce("version", cwd=plain, env={**env, "BGCE_JSON": "false"}).out == "3\n"


def test_the_command_line_wins_over_variables(plain: Path, database: str) -> None:
    env = {"BGCE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nowhere", "BGCE_MIGRATIONS": "nowhere"}
    assert bgce("--migrations", "db", "up", "-d", database, cwd=plain, env=env).code == 0
    assert bgce("-d", database, "version", "--migrations", "db", cwd=plain, env=env).out == "3\n"


def test_options_stand_before_or_after_the_command(plain: Path, database: str) -> None:
    before = bgce("-d", database, "--migrations", "db", "--json", "status", cwd=plain)
    after = bgce("status", "-d", database, "--migrations", "db", "--json", cwd=plain)
    assert before == after
    assert before.document["counts"] == {"pending": 3}


@pytest.mark.parametrize("flag", ["-d", "--database-url", "-database", "--database"])
def test_the_spellings_of_the_database(flag: str, plain: Path, database: str) -> None:
    assert bgce("-path", "db", "version", flag, database, cwd=plain).code == 0


def test_a_variable_with_a_wrong_value_is_a_usage_error(shop: Path) -> None:
    answer = bgce("up", cwd=shop, env={"BGCE_JOBS": "many"})
    assert answer.code == 2
    assert "many" in answer.err
